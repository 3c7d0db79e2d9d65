package waitgroupmiscounted

import (
	"errors"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

func check(host string) error {
	if host == "ill" {
		return errors.New("no answer")
	}
	return nil
}

func TestLeaky(t *testing.T) {
	leaktest.Leaks(t, "HealthyLeaky", "sync.WaitGroup.Wait", func() { HealthyLeaky([]string{"well", "ill"}, check) })
}

func TestRepaired(t *testing.T) {
	leaktest.Clean(t, func() {
		if n := HealthyRepaired([]string{"well", "ill"}, check); n != 1 {
			t.Errorf("%d are well", n)
		}
	})
}
