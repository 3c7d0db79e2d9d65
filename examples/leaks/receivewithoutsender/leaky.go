// Package receivewithoutsender shows a wait for a reply that was never sent.
package receivewithoutsender

import "strings"

// AskLeaky sends a question to the help desk and returns the reply.
//
// Mistake: the help desk drops texts that are not questions, as a queue drops malformed
// messages. No reply will ever come, and there is no timeout.
func AskLeaky(question string) string {
	reply := make(chan string)
	go answerLeaky(question, reply)
	return <-reply // leaks here
}

func answerLeaky(question string, reply chan<- string) {
	if !strings.HasSuffix(question, "?") {
		return
	}
	reply <- "have you tried turning it off and on again"
}
