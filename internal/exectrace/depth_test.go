package exectrace

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/profile"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// deepest is the number of waiting goroutines, each one call deeper than the previous.
const deepest = 150

// TestDepthUpToWhichEntriesAreShown checks the depth up to which a stack shows its entry, as in
// docs/decisions/stacks.md. It differs between profile and trace.
func TestDepthUpToWhichEntriesAreShown(t *testing.T) {
	for _, test := range []struct {
		name               string
		descend            func(calls int, ready *sync.WaitGroup, end chan struct{})
		inTrace, inProfile int
	}{
		// Besides these calls a stack has the entry and three frames of the runtime: a
		// trace shows 124 frames, a profile 127.
		{"plain", descendPlainly, 120, 123},
		{"two of three inlined", descendInlined, 40, 41},
	} {
		t.Run(test.name, func(t *testing.T) {
			end := make(chan struct{})
			var ready, ended sync.WaitGroup
			for calls := range deepest {
				ready.Add(1)
				ended.Add(1)
				go func() {
					defer ended.Done()
					test.descend(calls, &ready, end)
				}()
			}
			ready.Wait()
			parkedAll := waitUntilParked(t, deepest, descends)
			traced, profiled := recordTrace(t), goroutineProfile(t)
			close(end)
			ended.Wait()
			if !parkedAll {
				t.Fatal("not all goroutines wait")
			}
			s, err := Decode(traced)
			if err != nil {
				t.Fatal(err)
			}
			p, err := profile.Decode(profiled, maxProfile)
			if err != nil {
				t.Fatal(err)
			}
			if n := shownEntries(s); n != test.inTrace {
				t.Errorf("the trace shows %d entries, want %d", n, test.inTrace)
			}
			if n := shownEntries(p); n != test.inProfile {
				t.Errorf("the profile shows %d entries, want %d", n, test.inProfile)
			}
		})
	}
}

// waitUntilParked waits until n goroutines of a kind wait and no other of that kind runs.
func waitUntilParked(t *testing.T, n int, isOfKind func(stack.Group) bool) bool {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		p, err := profile.Decode(goroutineProfile(t), maxProfile)
		if err != nil {
			t.Fatal(err)
		}
		waiting, busy := 0, 0
		for _, g := range p.Groups {
			switch {
			case !isOfKind(g):
			case g.State == stack.StateRunning:
				busy += g.Count
			default:
				waiting += g.Count
			}
		}
		if waiting == n && busy == 0 {
			return true
		}
	}
	return false
}

func descends(g stack.Group) bool { return strings.Contains(g.Blamed.Function, ".descend") }

// shownEntries returns the number of descending goroutines that show their entry.
func shownEntries(s *stack.Snapshot) int {
	n := 0
	for _, g := range s.Groups {
		if descends(g) && g.Entry != "" {
			n += g.Count
		}
	}
	return n
}

//go:noinline
func descendPlainly(calls int, ready *sync.WaitGroup, end chan struct{}) {
	if calls == 0 {
		ready.Done()
		<-end
		return
	}
	descendPlainly(calls-1, ready, end)
}

func descendInlined(calls int, ready *sync.WaitGroup, end chan struct{}) {
	if calls == 0 {
		ready.Done()
		<-end
		return
	}
	inlinedStep(calls, ready, end)
}

func inlinedStep(calls int, ready *sync.WaitGroup, end chan struct{}) {
	inlinedInnerStep(calls, ready, end)
}

func inlinedInnerStep(calls int, ready *sync.WaitGroup, end chan struct{}) {
	descendInlined(calls-1, ready, end)
}
