package history

import (
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// FuzzState checks that a History works from any state that it accepts.
func FuzzState(f *testing.F) {
	h := New(Config{})
	for n := range 9 {
		observe(h, "a", epoch.Add(time.Duration(n)*time.Minute), 3, 2, 1)
	}
	data, err := h.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		h := New(Config{MaxInstances: 10, MaxGroups: 10, MaxSeries: 10})
		if h.UnmarshalBinary(data) != nil {
			return
		}
		observe(h, "a", epoch.Add(time.Hour), 3, 2, 1)
		h.Services()
		h.Chart(shop, []finding.Place{order})
		h.Sweep(epoch.Add(time.Hour))
		if _, err := h.MarshalBinary(); err != nil {
			t.Error(err)
		}
	})
}

// FuzzReadStacks parses any text.
func FuzzReadStacks(f *testing.F) {
	f.Add("created by, 8, 100%:\nmain.checkOut(...)\n\t/src/order.go:31\n\nwoken by, 375, 100%:\nmain.reply(...)\n\t/src/order.go:60\n")
	f.Add("\n\n\x00(...)\n\t:9")
	f.Add("created by, 1, 100%:\n\xff(...)\n\t/src/order.go:31\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range ReadStacks(text) {
			if len(s.Frames) == 0 || len(s.Frames) > maxFrames {
				t.Errorf("%d frames", len(s.Frames))
			}
			for _, frame := range s.Frames {
				if frame.Line < 0 || frame.Function == "" || finding.Clean(frame.Function) != frame.Function {
					t.Errorf("%+v", frame)
				}
			}
		}
	})
}
