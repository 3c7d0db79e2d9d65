package rangeneverclosed

import (
	"strings"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

const table = "1\n2\nthree\n4\n"

func TestLeaky(t *testing.T) {
	leaktest.Leaks(t, "storeLeaky", "chan receive", func() {
		_ = ImportLeaky(strings.NewReader(table), func(int) {}) // the error makes it leak
	})
}

func TestRepaired(t *testing.T) {
	leaktest.Clean(t, func() {
		sum := 0
		if err := ImportRepaired(strings.NewReader(table), func(row int) { sum += row }); err == nil {
			t.Error("no error")
		}
		if sum != 3 {
			t.Errorf("stored rows that add up to %d", sum)
		}
	})
}
