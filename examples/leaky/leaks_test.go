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

// stacks returns the text of every goroutine of this process that has the
// function of this package on its stack.
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

// state returns what the runtime says the goroutine waits for.
//
//	goroutine 7 [chan receive, 2 minutes]:  ->  chan receive
func state(stack string) string {
	return strings.TrimSpace(regexp.MustCompile(`\[([a-zA-Z. ]+)`).FindStringSubmatch(stack)[1])
}

// eventually looks again and again until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(20 * time.Second)
	for !condition() {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatal(what)
		}
	}
}

// Here the leaks run in real time, and faster than in the service: goroutines
// that never end cannot be in a bubble of synctest.
func TestLeaksGrow(t *testing.T) {
	planted := []struct {
		function string
		state    string // "" is any: this one moves
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
	waiting := func(function, wanted string) int {
		n := 0
		for _, s := range stacks(function) {
			if wanted == "" || state(s) == wanted {
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
			t.Errorf("%s: only %d are left at the end", p.function, n)
		}
	}
}

// At least one a second of each must leak, or the demonstration would not see it
// in its minute.
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

func TestFastCallsLeaveNothing(t *testing.T) {
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

// No line of the endless loop may only ever grow: in a period it is asleep, waits
// to receive, and waits in a select, about as long in each.
func TestPollerMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const period = 3 * time.Second
		time.Sleep(untilBeat(period) + period/6)
		go func() {
			pollOnce(period)
			pollOnce(period)
		}()
		for _, wanted := range []string{
			"sleep", "sleep", "sleep",
			"chan receive", "select", "sleep",
			"chan receive", "select",
		} {
			synctest.Wait()
			if s := inBubble(stacks("pollOnce")); len(s) != 1 || state(s[0]) != wanted {
				t.Errorf("%v: want %s, have %q", time.Now(), wanted, s)
			}
			time.Sleep(period / 3)
		}
	})
}

// inBubble keeps the stacks of goroutines in a bubble of synctest.
//
//	goroutine 7 [sleep (durable), synctest bubble 3]:
func inBubble(stacks []string) []string {
	var kept []string
	for _, s := range stacks {
		if strings.Contains(s, "synctest bubble") {
			kept = append(kept, s)
		}
	}
	return kept
}
