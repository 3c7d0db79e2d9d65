// Package selectwithoutdone shows a select without a case for the end of its context.
package selectwithoutdone

import "context"

// FollowLeaky shows a client the events of a topic until ctx is done.
//
// Mistake: the subscription ends with ctx, but not the goroutine. It waits for channels
// that have no senders any more.
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
