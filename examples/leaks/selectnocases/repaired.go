package selectnocases

import "context"

// FollowRepaired is FollowLeaky without the leak. It ends when ctx is done.
//
// Fix: context.AfterFunc removes the listener, without a goroutine that waits. (If the
// goroutine has other work, wait for ctx.Done() instead of select{}.)
func FollowRepaired(ctx context.Context, feed *Feed, show func(string)) {
	context.AfterFunc(ctx, feed.Listen(show))
}
