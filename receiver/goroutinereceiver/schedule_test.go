package goroutinereceiver

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// scheduled runs a schedule for so long, in which each scrape takes a time, and returns how long
// after its begin each scrape began.
func scheduled(t *testing.T, r *round, soon, takes, length time.Duration) (at []time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), length)
		defer cancel()
		var all sync.WaitGroup
		defer all.Wait()
		began := time.Now()
		s := newSchedule(time.Minute, func(context.Context, *target) {
			at = append(at, time.Since(began))
			<-time.After(takes)
		}, all.Go)
		s.add(r, nil, soon)
		s.run(ctx)
	})
	return at
}

// atOffset returns a round of a target with an offset in a minute, to within a second.
func atOffset(seconds int) *round {
	for i := 0; ; i++ {
		t := &target{name: strconv.Itoa(i)}
		if t.offset(time.Minute)/time.Second == time.Duration(seconds) && t.offset(7*time.Second)/time.Second == 2 {
			return &round{target: t}
		}
	}
}

func TestSchedule(t *testing.T) {
	tests := []struct {
		name   string
		offset int // in the minute
		soon   time.Duration
		takes  time.Duration
		want   []int // the second in which each scrape begins
	}{
		{"first one soon", 40, 7 * time.Second, 0, []int{2, 40, 100, 160, 220}},
		{"no second one too soon", 20, 7 * time.Second, 0, []int{2, 80, 140, 200}},
		{"spread from the start", 40, time.Minute, 0, []int{40, 100, 160, 220}},
		{"longer than the interval", 40, time.Minute, 70 * time.Second, []int{40, 160}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []int
			for _, at := range scheduled(t, atOffset(test.offset), test.soon, test.takes, 250*time.Second) {
				got = append(got, int(at/time.Second))
			}
			assert.Equal(t, test.want, got)
		})
	}
}

// TestNoRush starts 6,000 targets, and has as many as a quarter of them join later.
func TestNoRush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const targets, joining = 6000, 1500
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
		defer cancel()
		var all sync.WaitGroup
		defer all.Wait()
		var mu sync.Mutex
		perSecond := make(map[int64]int)
		s := newSchedule(time.Minute, func(context.Context, *target) {
			mu.Lock()
			defer mu.Unlock()
			perSecond[time.Now().Unix()]++
		}, all.Go)
		join := func(from, to int) {
			for i := from; i < to; i++ {
				s.add(&round{target: &target{name: fmt.Sprintf("10.0.%d.%d:6060", i/250, i%250)}}, nil, firstWithin(time.Minute, to-from, to))
			}
		}
		join(0, targets)
		all.Go(func() {
			<-time.After(2*time.Minute + time.Second)
			join(targets, targets+joining)
		})
		s.run(ctx)
		most, scrapes := 0, 0
		for _, n := range perSecond {
			most = max(most, n)
			scrapes += n
		}
		assert.LessOrEqual(t, float64(most), 2.5*targets/60, "in the busiest second")
		assert.InDelta(t, 4*targets+2*joining, scrapes, joining, "nothing is left out")
	})
}

func TestFirstWithin(t *testing.T) {
	assert.Equal(t, 4*time.Second, firstWithin(time.Minute, 1, 1))
	assert.Equal(t, 20*time.Second, firstWithin(time.Minute, 1000, 1000))
	assert.Equal(t, time.Minute, firstWithin(time.Minute, 20_000, 20_000))
	assert.Equal(t, 15*time.Second, firstWithin(time.Minute, 5000, 20_000))
	assert.Equal(t, 4*time.Second, firstWithin(time.Minute, 1000, 20_000))
	assert.Equal(t, time.Second, firstWithin(time.Second, 1, 1))
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
