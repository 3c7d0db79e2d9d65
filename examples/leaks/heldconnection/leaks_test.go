package heldconnection

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

// hung returns the address of a server that never sends. The kernel accepts its
// connections.
func hung(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

func TestLeaky(t *testing.T) {
	address := hung(t)
	leaktest.Leaks(t, "GreetingLeaky", "IO wait", func() { _, _ = GreetingLeaky(address) })
}

func TestRepaired(t *testing.T) {
	address := hung(t)
	leaktest.Clean(t, func() {
		_, err := GreetingRepaired(t.Context(), address, 10*time.Millisecond)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}
