package receivewithoutsender

import (
	"context"
	"strings"
)

// AskRepaired is AskLeaky without the leak, or returns an error if ctx is done first.
//
// Fix: the wait has a second way out, and the caller's context has a
// deadline. The reply has a place in the channel's buffer, so that one that comes
// too late does not leak in turn.
func AskRepaired(ctx context.Context, question string) (string, error) {
	reply := make(chan string, 1)
	go answerRepaired(question, reply)
	select {
	case text := <-reply:
		return text, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

func answerRepaired(question string, reply chan<- string) {
	if !strings.HasSuffix(question, "?") {
		return
	}
	reply <- "have you tried turning it off and on again"
}
