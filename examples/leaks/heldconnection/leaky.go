// Package heldconnection shows a connection in the hands of a goroutine that waits
// for a peer that has nothing to say.
package heldconnection

import (
	"bufio"
	"net"
)

// GreetingLeaky connects to a mail server and returns its greeting.
//
// Mistake: a peer that hangs, or has gone without a word, never sends and
// never closes. There is no deadline, so the read waits forever and the deferred
// close never runs: each call costs a goroutine and a file descriptor.
func GreetingLeaky(address string) (string, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	return bufio.NewReader(conn).ReadString('\n') // leaks here
}
