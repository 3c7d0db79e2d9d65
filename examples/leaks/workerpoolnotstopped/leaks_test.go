package workerpoolnotstopped

import (
	"errors"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

var errBroken = errors.New("not a picture")

func scale(picture string) error {
	if picture == "broken" {
		return errBroken
	}
	return nil
}

func TestLeaky(t *testing.T) {
	leaktest.Leaks(t, "(*poolLeaky).workLeaky", "select", func() {
		_ = ScaleLeaky([]string{"a", "broken", "c"}, scale) // the error makes it leak
	})
}

func TestRepaired(t *testing.T) {
	leaktest.Clean(t, func() {
		if err := ScaleRepaired([]string{"a", "broken", "c"}, scale); !errors.Is(err, errBroken) {
			t.Errorf("error %v", err)
		}
	})
}
