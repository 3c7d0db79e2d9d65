package mutexneverunlocked

import (
	"math"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

func TestLeaky(t *testing.T) {
	var encoder EncoderLeaky
	if _, err := encoder.Encode(math.NaN()); err == nil {
		t.Error("no error")
	}
	leaktest.Leaks(t, "(*EncoderLeaky).Encode", "sync.Mutex.Lock", func() { _, _ = encoder.Encode(1) })
}

func TestRepaired(t *testing.T) {
	leaktest.Clean(t, func() {
		var encoder EncoderRepaired
		if _, err := encoder.Encode(math.NaN()); err == nil {
			t.Error("no error")
		}
		if text, err := encoder.Encode(1); err != nil || text != "1\n" {
			t.Errorf("text %q, error %v", text, err)
		}
	})
}
