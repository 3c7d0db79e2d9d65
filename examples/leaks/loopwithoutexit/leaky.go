// Package loopwithoutexit shows a loop that never ends.
package loopwithoutexit

import "time"

// pollEvery is the time between two lookups of a price.
const pollEvery = 200 * time.Millisecond

// WatchLeaky calls changed with every new price of an article while a customer views it.
//
// Mistake: there is no way to stop the loop when the customer leaves. It runs as long
// as the process.
func WatchLeaky(price func() int, changed func(int)) {
	go pollLeaky(price, changed)
}

func pollLeaky(price func() int, changed func(int)) {
	last := 0
	for {
		if now := price(); now != last {
			last = now
			changed(now)
		}
		time.Sleep(pollEvery) // leaks here
	}
}
