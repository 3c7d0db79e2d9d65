package main

import (
	"context"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// stacks returns the debug=2 text of the goroutines with a function of this package on
// their stack.
func stacks(function string) []string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	var found []string
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		if strings.Contains(stack, "examples/leaky."+function+"(") {
			found = append(found, stack)
		}
	}
	return found
}

// state returns the wait reason of a goroutine.
//
//	goroutine 7 [chan receive, 2 minutes]:  ->  chan receive
func state(stack string) string {
	return strings.TrimSpace(regexp.MustCompile(`\[([a-zA-Z. ]+)`).FindStringSubmatch(stack)[1])
}

// eventually polls until the condition is true.
func eventually(t *testing.T, failure string, condition func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(20 * time.Second)
	for !condition() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatal(failure)
		}
	}
}

// TestLeaksGrow runs the leaks in real time, since goroutines that never exit cannot be
// in a synctest bubble, and faster than in the service.
func TestLeaksGrow(t *testing.T) {
	planted := []struct {
		function string
		state    string // empty if it varies
	}{
		{"waitForReply", "chan receive"},
		{"askSlowBackend", "chan send"},
		{"pollForever", ""},
		{"writeAudit", "sync.Mutex.Lock"},
	}
	leaks := plantLeaks()
	if len(leaks) != len(planted) {
		t.Fatalf("%d leaks, %d expected", len(leaks), len(planted))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for _, l := range leaks {
		l.every = time.Millisecond
		running.Go(func() { l.run(ctx) })
	}
	waiting := func(function, want string) int {
		n := 0
		for _, s := range stacks(function) {
			if want == "" || state(s) == want {
				n++
			}
		}
		return n
	}
	for _, p := range planted {
		eventually(t, p.function+" does not leak", func() bool { return waiting(p.function, p.state) >= 10 })
	}
	cancel()
	running.Wait()
	for _, p := range planted {
		if n := waiting(p.function, p.state); n < 10 {
			t.Errorf("%s: only %d goroutines left", p.function, n)
		}
	}
}

// TestLeaksAreFastEnough checks that each leaks at least one goroutine a second, so that
// the demonstration finds it in a minute.
func TestLeaksAreFastEnough(t *testing.T) {
	for i, l := range plantLeaks() {
		share := 1
		if l.every < 100*time.Millisecond {
			share = 50 // of quoteTraffic
		}
		if l.every*time.Duration(share) > time.Second {
			t.Errorf("leak %d: every %v", i, l.every)
		}
	}
}

func TestTwoPercentOfCallsOutlastPatience(t *testing.T) {
	slow := 0
	for call := range 1000 {
		if latency(call) > patience {
			slow++
		}
	}
	if slow != 20 {
		t.Errorf("%d of 1,000", slow)
	}
}

func TestFastCallsDoNotLeak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if quote, ok := fetchQuote(latency(1)); !ok || quote == "" {
			t.Errorf("got %q, %v", quote, ok)
		}
		synctest.Wait()
		if left := inBubble(stacks("askSlowBackend")); len(left) != 0 {
			t.Errorf("left: %s", left[0])
		}
	})
}

// TestPollerMoves checks that the endless loop moves between lines, so that none only
// grows: it sleeps, receives and selects for a third of the period each.
func TestPollerMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const period = 3 * time.Second
		time.Sleep(untilMultiple(period) + period/6)
		go func() {
			pollOnce(period)
			pollOnce(period)
		}()
		for _, want := range []string{
			"sleep", "sleep", "sleep",
			"chan receive", "select", "sleep",
			"chan receive", "select",
		} {
			synctest.Wait()
			if s := inBubble(stacks("pollOnce")); len(s) != 1 || state(s[0]) != want {
				t.Errorf("%v: want %s, have %q", time.Now(), want, s)
			}
			time.Sleep(period / 3)
		}
	})
}

// inBubble returns the stacks of goroutines in a synctest bubble.
//
//	goroutine 7 [sleep (durable), synctest bubble 3]:
func inBubble(stacks []string) []string {
	var found []string
	for _, s := range stacks {
		if strings.Contains(s, "synctest bubble") {
			found = append(found, s)
		}
	}
	return found
}
