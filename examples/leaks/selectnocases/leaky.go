// Package selectnocases shows a goroutine that stays only so that something goes
// on.
package selectnocases

// FollowLeaky shows a client what is new in a feed.
//
// Mistake: select{} keeps the listener alive and waits for nothing, so the
// listener is never removed, and the goroutine stays when the client has left.
// (In main it is right: the process ends by a signal. Nowhere else.)
func FollowLeaky(feed *Feed, show func(string)) {
	go listenLeaky(feed, show)
}

func listenLeaky(feed *Feed, show func(string)) {
	remove := feed.Listen(show)
	defer remove()
	select {} // leaks here
}
