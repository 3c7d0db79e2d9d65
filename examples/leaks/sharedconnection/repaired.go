package sharedconnection

import (
	"errors"
	"net"
	"time"
)

// TellRepaired is TellLeaky without the leak. It closes the connection of a client that
// does not read within patience.
//
// Fix: set a deadline before each write. When it is exceeded, close the connection, which
// also ends the waiting writes.
func TellRepaired(client net.Conn, news []byte, patience time.Duration) error {
	if err := client.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := client.Write(news); err != nil {
		return errors.Join(err, client.Close())
	}
	return nil
}
