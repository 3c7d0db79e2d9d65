package sendwithoutreceiver

import (
	"testing"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

func echo(key string) string { return key }

func TestLeaky(t *testing.T) {
	leaktest.Leaks(t, "askLeaky", "chan send", func() { FirstLeaky([]Replica{echo, echo}, "a") })
}

func TestRepaired(t *testing.T) {
	leaktest.Clean(t, func() {
		if answer := FirstRepaired([]Replica{echo, echo}, "a"); answer != "a" {
			t.Errorf("answer %q", answer)
		}
	})
}
