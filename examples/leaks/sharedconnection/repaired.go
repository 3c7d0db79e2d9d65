package sharedconnection

import (
	"errors"
	"net"
	"time"
)

// TellRepaired is TellLeaky without the leak, and hangs up on a client that does not
// read for as long as patience.
//
// Fix: a deadline before each write. When it is exceeded the connection is
// closed, which ends those who wait behind.
func TellRepaired(client net.Conn, news []byte, patience time.Duration) error {
	if err := client.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := client.Write(news); err != nil {
		return errors.Join(err, client.Close())
	}
	return nil
}
