// Package loopback gives out addresses at which the servers of a test listen.
package loopback

import (
	"fmt"
	"net/netip"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// FreeAddress returns an address at 127.0.0.1; see FreeAddressAt.
func FreeAddress(t *testing.T) string {
	t.Helper()
	return FreeAddressAt(t, "127.0.0.1")
}

// FreeAddressAt returns an address at an IPv4 address of loopback that is for the test alone until
// it ends. A socket that is bound to it, and does not listen, keeps it from being given to anyone who
// asks for no port in particular; who asks for it may listen at it.
func FreeAddressAt(t *testing.T, ip string) string {
	t.Helper()
	at, err := netip.ParseAddr(ip)
	require.NoError(t, err)
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, syscall.Close(socket)) })
	syscall.CloseOnExec(socket)
	require.NoError(t, syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1))
	require.NoError(t, syscall.Bind(socket, &syscall.SockaddrInet4{Addr: at.As4()}))
	address, err := syscall.Getsockname(socket)
	require.NoError(t, err)
	return fmt.Sprintf("%s:%d", ip, address.(*syscall.SockaddrInet4).Port)
}
