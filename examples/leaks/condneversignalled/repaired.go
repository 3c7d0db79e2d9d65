package condneversignalled

// DeliverRepaired is DeliverLeaky without the leak, and returns after the last letter
// was read.
//
// Fix: a channel is such a mailbox, and its close wakes whoever waits.
// (Where it has to be a Cond, whoever changes what is waited for calls Broadcast.)
func DeliverRepaired(fetch func() []string, read func(string)) {
	letters, done := make(chan string), make(chan struct{})
	go readRepaired(letters, read, done)
	defer func() { <-done }()
	defer close(letters)
	for _, letter := range fetch() {
		letters <- letter
	}
}

func readRepaired(letters <-chan string, read func(string), done chan<- struct{}) {
	defer close(done)
	for letter := range letters {
		read(letter)
	}
}
