package sendwithoutreceiver

// FirstRepaired is FirstLeaky without the leak.
//
// Fix: there is room forevery answer, so every replica can deliver its own
// and end, whether or not somebody takes it. The channel is collected with what is
// in it. (Where an answer is dear, pass a context too, and cancel it after the
// first.)
func FirstRepaired(replicas []Replica, key string) string {
	answers := make(chan string, len(replicas))
	for _, ask := range replicas {
		go askRepaired(ask, key, answers)
	}
	return <-answers
}

func askRepaired(ask Replica, key string, answers chan<- string) {
	answer := ask(key)
	answers <- answer
}
