// Package loopback gives out addresses at which the servers of a test listen.
package loopback

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// FreeAddress returns an address on loopback that is for the test alone until it ends. A
// socket that is bound to it, and does not listen, keeps it from being given to anyone who
// asks for no port in particular; who asks for it may listen at it.
func FreeAddress(t *testing.T) string {
	t.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, syscall.Close(socket)) })
	syscall.CloseOnExec(socket)
	require.NoError(t, syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1))
	require.NoError(t, syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	address, err := syscall.Getsockname(socket)
	require.NoError(t, err)
	return fmt.Sprintf("127.0.0.1:%d", address.(*syscall.SockaddrInet4).Port)
}
