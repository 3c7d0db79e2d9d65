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

// runSchedule runs a schedule with one item for the given length. Each scrape lasts takes. It
// returns the start times of the scrapes, relative to the start of the schedule.
func runSchedule(t *testing.T, item *scheduleItem, soon, takes, length time.Duration) (at []time.Duration) {
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
		s.add(item, nil, soon)
		s.run(ctx)
	})
	return at
}

// itemAtOffset returns an item with this offset in a minute, to within a second.
func itemAtOffset(seconds int) *scheduleItem {
	for i := 0; ; i++ {
		t := &target{name: strconv.Itoa(i)}
		if t.offset(time.Minute)/time.Second == time.Duration(seconds) && t.offset(7*time.Second)/time.Second == 2 {
			return &scheduleItem{target: t}
		}
	}
}

func TestSchedule(t *testing.T) {
	tests := []struct {
		name   string
		offset int // in the minute
		soon   time.Duration
		takes  time.Duration
		want   []int // the second in which each scrape starts
	}{
		{"first scrape soon", 40, 7 * time.Second, 0, []int{2, 40, 100, 160, 220}},
		{"second scrape not too soon", 20, 7 * time.Second, 0, []int{2, 80, 140, 200}},
		{"spread from the start", 40, time.Minute, 0, []int{40, 100, 160, 220}},
		{"longer than the interval", 40, time.Minute, 70 * time.Second, []int{40, 160}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []int
			for _, at := range runSchedule(t, itemAtOffset(test.offset), test.soon, test.takes, 250*time.Second) {
				got = append(got, int(at/time.Second))
			}
			assert.Equal(t, test.want, got)
		})
	}
}

// TestNoRush starts with 6,000 targets and adds a quarter of that number later.
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
				s.add(&scheduleItem{target: &target{name: fmt.Sprintf("10.0.%d.%d:6060", i/250, i%250)}}, nil, firstScrapeWindow(time.Minute, to-from, to))
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
		assert.InDelta(t, 4*targets+2*joining, scrapes, joining, "no scrape is skipped")
	})
}

func TestFirstWithin(t *testing.T) {
	assert.Equal(t, 4*time.Second, firstScrapeWindow(time.Minute, 1, 1))
	assert.Equal(t, 20*time.Second, firstScrapeWindow(time.Minute, 1000, 1000))
	assert.Equal(t, time.Minute, firstScrapeWindow(time.Minute, 20_000, 20_000))
	assert.Equal(t, 15*time.Second, firstScrapeWindow(time.Minute, 5000, 20_000))
	assert.Equal(t, 4*time.Second, firstScrapeWindow(time.Minute, 1000, 20_000))
	assert.Equal(t, time.Second, firstScrapeWindow(time.Second, 1, 1))
}

// TestOffsets checks that the offsets of targets are even and deterministic.
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
