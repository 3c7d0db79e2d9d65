package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// observe runs a healthy part for a minute, returns the number of goroutines of a
// function at each second, and checks that all exit within a second after the context
// is done.
func observe(t *testing.T, run func(context.Context), function string) (counts []int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			run(ctx)
			close(ended)
		}()
		time.Sleep(time.Millisecond) // between the ticks
		for range 60 {
			synctest.Wait()
			counts = append(counts, len(inBubble(stacks(function))))
			time.Sleep(time.Second)
		}
		cancel()
		time.Sleep(time.Second) // current jobs are completed
		synctest.Wait()
		select {
		case <-ended:
		default:
			t.Error("still running after the context is done")
		}
		if left := inBubble(stacks(function)); len(left) != 0 {
			t.Errorf("%d are left: %s", len(left), left[0])
		}
	})
	return counts
}

func TestPoolGrowsOnce(t *testing.T) {
	counts := observe(t, runPool, "runWorker")
	if counts[0] > 1 || counts[2] < 10 || counts[2] > 30 {
		t.Errorf("the pool does not grow step by step: %v", counts[:6])
	}
	for second, n := range counts[6:] {
		if n != poolSize {
			t.Errorf("second %d: %d workers", second+6, n)
		}
	}
}

func TestLoadRisesAndFalls(t *testing.T) {
	counts := observe(t, takeRequests, "handleRequest")
	for cycle := range 3 {
		peak, trough := counts[20*cycle+10], counts[20*cycle+1]
		if peak < 70 || peak > 90 || trough > 20 {
			t.Errorf("cycle %d: %d at the peak, %d at the trough", cycle, peak, trough)
		}
	}
}

func TestSessionsAreReplaced(t *testing.T) {
	for second, n := range observe(t, keepSessions, "holdSession") {
		if n != clients {
			t.Errorf("second %d: %d sessions", second, n)
		}
	}
	var sum time.Duration
	const draws = 10_000
	for range draws {
		sum += lifetime()
	}
	// Five standard deviations of the mean of that many exponential draws.
	if mean := sum / draws; mean < meanSession*95/100 || mean > meanSession*105/100 {
		t.Errorf("mean session %v", mean)
	}
}

func TestBeatIsOneGoroutine(t *testing.T) {
	for second, n := range observe(t, beat, "beat") {
		if n != 1 {
			t.Errorf("second %d: %d", second, n)
		}
	}
}
