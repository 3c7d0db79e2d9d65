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
	seconds := func(all ...int) (at []time.Duration) {
		for _, s := range all {
			at = append(at, time.Duration(s)*time.Second)
		}
		return at
	}
	tests := []struct {
		name          string
		first, offset time.Duration
		takes         time.Duration
		want          []time.Duration // begin of each call
	}{
		{"first one soon", 2 * time.Second, 40 * time.Second, 0, seconds(2, 40, 100, 160, 220)},
		{"no second one too soon", 2 * time.Second, 20 * time.Second, 0, seconds(2, 80, 140, 200)},
		{"at once", 0, 0, time.Second, seconds(0, 60, 120, 180, 240)},
		{"longer than the interval", 0, 0, 70 * time.Second, seconds(0, 120, 240)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 250*time.Second)
				defer cancel()
				began := time.Now()
				var got []time.Duration
				every(ctx, time.Minute, test.first, test.offset, func() {
					got = append(got, time.Since(began))
					<-time.After(test.takes)
				})
				assert.Equal(t, test.want, got)
			})
		})
	}
}

func TestFirstWithin(t *testing.T) {
	assert.Equal(t, 4*time.Second, firstWithin(time.Minute, 1))
	assert.Equal(t, 20*time.Second, firstWithin(time.Minute, 1000))
	assert.Equal(t, time.Minute, firstWithin(time.Minute, 20_000))
	assert.Equal(t, time.Second, firstWithin(time.Second, 1))
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
