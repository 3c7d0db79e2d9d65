// Package sharedconnection shows a connection to which many write, and whose peer
// does not read.
package sharedconnection

import "net"

// TellLeaky tells a client something.
//
// Mistake: once the buffers of both sides are full the first write waits
// for room (io_wait), and every other write of the same connection queues up behind
// it (semaphore). There is no deadline, and the client is still connected.
func TellLeaky(client net.Conn, news []byte) error {
	_, err := client.Write(news) // leaks here
	return err
}
