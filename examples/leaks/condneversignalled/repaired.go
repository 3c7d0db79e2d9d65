package condneversignalled

// DeliverRepaired is DeliverLeaky without the leak. It returns after the last letter
// has been read.
//
// Fix: use a channel as mailbox; closing it wakes all receivers. (If it must be a
// Cond, call Broadcast after each change of the condition.)
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
