// Package sendwithoutreceiver shows answers that nobody waits for any more.
package sendwithoutreceiver

// Replica looks a key up in one copy of the data.
type Replica func(key string) string

// FirstLeaky asks all replicas at once and returns the first answer.
//
// Mistake: the channel has no buffer, and only one answer is taken from
// it. All other replicas wait forever to get rid of theirs.
func FirstLeaky(replicas []Replica, key string) string {
	answers := make(chan string)
	for _, ask := range replicas {
		go askLeaky(ask, key, answers)
	}
	return <-answers
}

func askLeaky(ask Replica, key string, answers chan<- string) {
	answer := ask(key)
	answers <- answer // leaks here
}
