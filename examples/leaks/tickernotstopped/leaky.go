// Package tickernotstopped shows a ticker that ticks on for somebody who has left.
package tickernotstopped

import "time"

// heartbeat is how often a client is told that the connection is alive.
const heartbeat = 200 * time.Millisecond

// KeepAliveLeaky sends heartbeats to a client.
//
// Mistake: what time.Tick returns cannot be stopped, and the loop over it
// does not hear that the client has left. (Nor would it help to stop a ticker:
// that does not close its channel, so the loop would wait forever instead.)
func KeepAliveLeaky(send func()) {
	go beatLeaky(send)
}

func beatLeaky(send func()) {
	for range time.Tick(heartbeat) { // leaks here
		send()
	}
}
