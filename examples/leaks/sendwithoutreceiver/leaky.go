// Package sendwithoutreceiver shows answers that are never received.
package sendwithoutreceiver

// Replica looks up a key in a copy of the data.
type Replica func(key string) string

// FirstLeaky asks all replicas concurrently and returns the first answer.
//
// Mistake: the channel is unbuffered, and only one answer is received. All other replicas
// block forever in their send.
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
