// Package selectnocases shows a goroutine that waits forever only to delay its deferred
// calls.
package selectnocases

// FollowLeaky shows a client the news of a feed.
//
// Mistake: select{} blocks forever, so the listener is never removed, and the goroutine
// remains after the client has left. (Only in main it is correct: a signal ends the
// process.)
func FollowLeaky(feed *Feed, show func(string)) {
	go listenLeaky(feed, show)
}

func listenLeaky(feed *Feed, show func(string)) {
	remove := feed.Listen(show)
	defer remove()
	select {} // leaks here
}
