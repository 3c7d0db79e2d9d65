package sendwithoutreceiver

// FirstRepaired is FirstLeaky without the leak.
//
// Fix: a buffer for every answer, so that every replica can send and return, even if
// there is no receiver. The channel is garbage collected with its contents. (If an answer
// is expensive, also pass a context, and cancel it after the first answer.)
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
