package sharedconnection

import (
	"net"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

// connect connects to a peer that does not read.
func connect(t *testing.T) net.Conn {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// flood is larger than all buffers between both sides.
var flood = make([]byte, 32<<20)

func TestLeaky(t *testing.T) {
	client := connect(t)
	leaktest.Leaks(t, "TellLeaky", "IO wait", func() { _ = TellLeaky(client, flood) })
	leaktest.Leaks(t, "TellLeaky", "semacquire", func() { _ = TellLeaky(client, flood) })
}

func TestRepaired(t *testing.T) {
	client := connect(t)
	leaktest.Clean(t, func() {
		for range 3 {
			if err := TellRepaired(client, flood, 10*time.Millisecond); err == nil {
				t.Error("no error")
			}
		}
	})
}
