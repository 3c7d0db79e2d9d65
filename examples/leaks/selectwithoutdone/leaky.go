// Package selectwithoutdone shows a select that does not hear that it is over.
package selectwithoutdone

import "context"

// FollowLeaky shows a client the events of a topic until the client's ctx ends.
//
// Mistake: the end of ctx ends the subscription, but not the goroutine.
// It waits at a select of channels that nobody has a hand on any more.
func FollowLeaky(ctx context.Context, topic *Topic, show func(string)) {
	s := topic.subscribe()
	context.AfterFunc(ctx, func() { topic.unsubscribe(s) })
	go showLeaky(s, show)
}

func showLeaky(s *subscription, show func(string)) {
	for {
		select { // leaks here
		case event := <-s.events:
			show(event)
		case notice := <-s.notices:
			show("notice: " + notice)
		}
	}
}
