package selectnocases

import "context"

// FollowRepaired is FollowLeaky without the leak, until ctx is done.
//
// Fix: no goroutine is needed to wait for the end of a context; AfterFunc
// starts one when it has come. (Where there is something to do besides, wait for
// ctx.Done() instead of for nothing.)
func FollowRepaired(ctx context.Context, feed *Feed, show func(string)) {
	context.AfterFunc(ctx, feed.Listen(show))
}
