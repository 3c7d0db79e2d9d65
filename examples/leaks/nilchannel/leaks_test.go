package nilchannel

import (
	"testing"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

func TestLeaky(t *testing.T) {
	leaktest.Leaks(t, "(*ServerLeaky).followLeaky", "chan receive (nil chan)", func() {
		NewServerLeaky(false, func(string) {}).Close()
	})
}

func TestRepaired(t *testing.T) {
	leaktest.Clean(t, func() {
		final := NewServerRepaired(false, func(string) {})
		if final.Reload("a.yaml") {
			t.Error("reloaded")
		}
		final.Close()
		read := ""
		server := NewServerRepaired(true, func(path string) { read = path })
		server.Reload("b.yaml")
		server.Close()
		if read != "b.yaml" {
			t.Errorf("read %q", read)
		}
	})
}
