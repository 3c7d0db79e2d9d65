// Package heldconnection shows a connection that is held by a goroutine that waits for
// a silent peer.
package heldconnection

import (
	"bufio"
	"net"
)

// GreetingLeaky connects to a mail server and returns its greeting.
//
// Mistake: a peer that hangs or has disappeared neither sends nor closes. Without a
// deadline the read waits forever, and the deferred close never runs: each call leaks
// a goroutine and a file descriptor.
func GreetingLeaky(address string) (string, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	return bufio.NewReader(conn).ReadString('\n') // leaks here
}
