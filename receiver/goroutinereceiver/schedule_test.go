package goroutinereceiver

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestEvery(t *testing.T) {
	tests := []struct {
		name   string
		offset time.Duration
		takes  time.Duration
		want   []time.Duration // begin of each call
	}{
		{"quick", 20 * time.Second, 0, []time.Duration{20 * time.Second, 80 * time.Second, 140 * time.Second, 200 * time.Second}},
		{"at once", 0, time.Second, []time.Duration{0, 60 * time.Second, 120 * time.Second, 180 * time.Second, 240 * time.Second}},
		{"longer than the interval", 0, 70 * time.Second, []time.Duration{0, 120 * time.Second, 240 * time.Second}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 250*time.Second)
				defer cancel()
				began := time.Now()
				var got []time.Duration
				every(ctx, time.Minute, test.offset, func() {
					got = append(got, time.Since(began))
					<-time.After(test.takes)
				})
				assert.Equal(t, test.want, got)
			})
		})
	}
}

// TestOffsets spreads a thousand targets evenly, each at a place of its own that
// stays the same.
func TestOffsets(t *testing.T) {
	var sixths [6]int
	for i := range 1000 {
		a, b := &target{name: fmt.Sprintf("10.0.%d.%d:6060", i/250, i%250)}, &target{name: fmt.Sprintf("10.0.%d.%d:6060", i/250, i%250)}
		offset := a.offset(time.Minute)
		assert.Equal(t, offset, b.offset(time.Minute))
		sixths[offset/(10*time.Second)]++
	}
	for i, n := range sixths {
		assert.InDelta(t, 167, n, 60, "sixth %d of the interval", i)
	}
}
