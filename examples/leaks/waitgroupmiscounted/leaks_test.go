package waitgroupmiscounted

import (
	"errors"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

func check(host string) error {
	if host == "down" {
		return errors.New("no response")
	}
	return nil
}

func TestLeaky(t *testing.T) {
	leaktest.Leaks(t, "HealthyLeaky", "sync.WaitGroup.Wait", func() { HealthyLeaky([]string{"up", "down"}, check) })
}

func TestRepaired(t *testing.T) {
	leaktest.Clean(t, func() {
		if n := HealthyRepaired([]string{"up", "down"}, check); n != 1 {
			t.Errorf("%d healthy hosts, want 1", n)
		}
	})
}
