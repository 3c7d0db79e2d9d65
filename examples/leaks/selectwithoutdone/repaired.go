package selectwithoutdone

import "context"

// FollowRepaired is FollowLeaky without the leak.
//
// Fix: a case for ctx.Done(). Every select in a loop needs a case that ends the loop.
func FollowRepaired(ctx context.Context, topic *Topic, show func(string)) {
	go showRepaired(ctx, topic, show)
}

func showRepaired(ctx context.Context, topic *Topic, show func(string)) {
	s := topic.subscribe()
	defer topic.unsubscribe(s)
	for {
		select {
		case event := <-s.events:
			show(event)
		case notice := <-s.notices:
			show("notice: " + notice)
		case <-ctx.Done():
			return
		}
	}
}
