package receivewithoutsender

import (
	"context"
	"strings"
)

// AskRepaired is AskLeaky without the leak. It returns an error if ctx is done first.
//
// Fix: a select with ctx.Done(), and a deadline in the caller's context. The channel has
// a buffer for the reply, so that a late one does not leak its sender.
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
