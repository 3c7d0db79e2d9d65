package heldconnection

import (
	"bufio"
	"context"
	"net"
	"time"
)

// GreetingRepaired is GreetingLeaky without the leak. It gives up after patience.
//
// Fix: set a deadline on the connection before reading. Dialing observes the context,
// reading does not.
func GreetingRepaired(ctx context.Context, address string, patience time.Duration) (string, error) {
	dialer := net.Dialer{Timeout: patience}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	return bufio.NewReader(conn).ReadString('\n')
}
