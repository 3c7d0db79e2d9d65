// Package tickernotstopped shows a ticker that is never stopped.
package tickernotstopped

import "time"

// heartbeat is the time between two messages that keep a connection alive.
const heartbeat = 200 * time.Millisecond

// KeepAliveLeaky sends heartbeats to a client.
//
// Mistake: the ticker of time.Tick cannot be stopped, and the loop does not end when the
// client leaves. (To stop a ticker would not suffice: its channel is not closed, so the
// loop would block forever.)
func KeepAliveLeaky(send func()) {
	go beatLeaky(send)
}

func beatLeaky(send func()) {
	for range time.Tick(heartbeat) { // leaks here
		send()
	}
}
