package pullnotstopped

import (
	"testing"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

func TestLeaky(t *testing.T) {
	leaktest.Leaks(t, "wordsLeaky.all", "coroutine", func() { SameLeaky("a b c", "a c b") })
}

func TestRepaired(t *testing.T) {
	leaktest.Clean(t, func() {
		if SameRepaired("a b c", "a c b") || SameRepaired("a b", "a b c") {
			t.Error("different texts are the same")
		}
		if !SameRepaired("a b c", "a  b c") {
			t.Error("texts of the same words differ")
		}
	})
}
