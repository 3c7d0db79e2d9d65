// Package loopwithoutexit shows a loop that goes on for nobody.
package loopwithoutexit

import "time"

// pollEvery is how often a price is looked up.
const pollEvery = 200 * time.Millisecond

// WatchLeaky tells changed of every new price of an article, for as long as a
// customer looks at it.
//
// Mistake: there is no way to say that the customer has left. The loop
// goes on for as long as the process lives.
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
