package condneversignalled

import (
	"slices"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

func TestLeaky(t *testing.T) {
	// It leaks if the reader already waits when the mailbox is closed.
	fetchNothing := func() []string {
		<-time.After(20 * time.Millisecond)
		return nil
	}
	leaktest.Leaks(t, "(*mailboxLeaky).readLeaky", "sync.Cond.Wait", func() {
		for range 20 {
			DeliverLeaky(fetchNothing, func(string) {})
		}
	})
}

func TestRepaired(t *testing.T) {
	leaktest.Clean(t, func() {
		var read []string
		DeliverRepaired(func() []string { return []string{"a", "b"} }, func(letter string) { read = append(read, letter) })
		if !slices.Equal(read, []string{"a", "b"}) {
			t.Errorf("read %q", read)
		}
	})
}
