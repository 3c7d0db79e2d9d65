// Package sharedconnection shows a connection with many writers, whose peer does not
// read.
package sharedconnection

import "net"

// TellLeaky sends news to a client.
//
// Mistake: when the buffers of both sides are full, the first write waits for space
// (io_wait), and all other writes to the connection wait for the first (semaphore). There
// is no deadline, and the client remains connected.
func TellLeaky(client net.Conn, news []byte) error {
	_, err := client.Write(news) // leaks here
	return err
}
