// Package loopback allocates addresses for the servers of a test.
package loopback

import (
	"fmt"
	"net/netip"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// FreeAddress returns a free address at 127.0.0.1. See FreeAddressAt.
func FreeAddress(t *testing.T) string {
	t.Helper()
	return FreeAddressAt(t, "127.0.0.1")
}

// FreeAddressAt returns an address with a free port at a loopback IPv4 address, reserved until the test ends. A
// socket that is bound to it but does not listen prevents the kernel from assigning the port to another socket,
// but permits listening at it explicitly.
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
