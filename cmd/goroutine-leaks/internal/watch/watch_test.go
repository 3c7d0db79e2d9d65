package watch

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/target"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// newTestWatcher returns a watcher of processes.
func newTestWatcher(watch time.Duration, sources ...source) *Watcher {
	o := Options{For: watch, Ignore: func(judge.Sample) bool { return false }}
	w := New(o, nil)
	for i, s := range sources {
		name := string(rune('a' + i))
		w.processes = append(w.processes, newProcess(s, name, name, o, w.thresholds))
	}
	return w
}

func TestLeakIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeSource{}
		w := newTestWatcher(time.Minute, f)
		looks := 0
		began := time.Now()
		s, err := w.Run(t.Context(), func(State) { looks++ })
		if err != nil || looks < 60 || time.Since(began) > 61*time.Second {
			t.Fatalf("%v after %d looks in %v", err, looks, time.Since(began))
		}
		if len(s.Findings) != 1 || s.Findings[0].Severity != finding.Probable || s.Findings[0].Head.Function != "main.leak" {
			t.Fatalf("%+v", s.Findings)
		}
		row := s.Rows[0]
		if row.Function != "main.leak" || row.Severity != finding.Probable || row.Grown < 58 || row.Aged < 50 || row.Exits != 0 || row.Undecided {
			t.Errorf("the worst row is %+v", row)
		}
		if pool := s.Rows[1]; pool.Grown != 0 || pool.Severity != 0 || pool.Aged != 4 {
			t.Errorf("the pool is %+v", pool)
		}
		if !w.HasCandidates() {
			t.Error("no candidates")
		}
		origins, problems := w.Origins(t.Context())
		if len(problems) > 0 || len(origins) != 1 || len(f.traced) != 1 || len(f.traced[0].Groups) != 1 {
			t.Errorf("%+v, %v, traced %+v", origins, problems, f.traced)
		}
		if all := w.judge.Findings(); len(all[0].Creators) != 1 || all[0].Creators[0].Function != "main.start" {
			t.Errorf("started by %+v", all[0].Creators)
		}
		origins[0].Older, origins[0].Served = 50, 40
		if w.DowngradeAtWork(origins, &s); s.Findings[0].Severity != finding.Suspected || s.Rows[0].Severity != finding.Suspected {
			t.Errorf("at work, but not suspected: %+v", s)
		}
	})
}

func TestHealthyProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeSource{healthy: true}
		w := newTestWatcher(time.Minute, f)
		s, err := w.Run(t.Context(), func(State) {})
		if err != nil || len(s.Findings) > 0 || slices.ContainsFunc(s.Rows, func(r Row) bool { return r.Undecided }) {
			t.Errorf("%v, %+v", err, s)
		}
		if w.HasCandidates() {
			t.Error("there are candidates")
		}
		if origins, problems := w.Origins(t.Context()); len(origins)+len(problems)+len(f.traced) > 0 {
			t.Error("traced without candidates")
		}
	})
}

// TestBusyWorkersAreNotUndecided checks that old goroutines that move to another line do not count as
// arrivals there. Connections of etcd did so when all became runnable in the last look.
func TestBusyWorkersAreNotUndecided(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := newTestWatcher(time.Minute, &fakeSource{healthy: true, busyAt: 58 * time.Second}).Run(t.Context(), func(State) {})
		if err != nil || len(s.Findings) > 0 {
			t.Fatalf("%v, %+v", err, s.Findings)
		}
		busy := s.Rows[0]
		if busy.Function != "main.busy" || busy.Grown != 20 || busy.Undecided {
			t.Errorf("%+v", busy)
		}
	})
}

// TestTargetUnreachableForAWhile checks that the watch survives a port-forward that drops and
// returns, and that the time between does not count as watched.
func TestTargetUnreachableForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeSource{down: func(at time.Duration) bool { return at > 20*time.Second && at < 30*time.Second }}
		w := newTestWatcher(time.Minute, f)
		var lost, found bool
		s, err := w.Run(t.Context(), func(s State) {
			if s.Targets[0].Error != "" {
				lost = true
				if s.Targets[0].Since > 11*time.Second || !s.Targets[0].Reached {
					t.Errorf("%+v", s.Targets[0])
				}
			}
			found = found || lost && s.Targets[0].Error == ""
		})
		if err != nil || !lost || !found {
			t.Fatalf("%v, lost %v, found again %v", err, lost, found)
		}
		if watched := s.Targets[0].Watched; watched < 45*time.Second || watched > 50*time.Second {
			t.Errorf("watched for %v", watched)
		}
		if longest := s.Targets[0].Longest; longest != s.Targets[0].Watched {
			t.Errorf("watched for %v at a time", longest)
		}
		if len(s.Findings) != 1 {
			t.Errorf("%+v", s.Findings)
		}
	})
}

// TestUnreachableTarget checks that Run gives up after reachTimeout, unless a target is reached.
func TestUnreachableTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s, err := newTestWatcher(time.Hour, &fakeSource{down: func(time.Duration) bool { return true }}).Run(t.Context(), func(State) {
			t.Error("onLook is called, so the error will be reported twice")
		})
		if !errors.Is(err, ErrUnreachable) || s.Targets[0].Error != errDown.Error() || s.Targets[0].Reached {
			t.Errorf("%v, %+v", err, s.Targets)
		}
		if waited := time.Since(began); waited < reachTimeout || waited > reachTimeout+2*retryInterval {
			t.Errorf("given up after %v", waited)
		}
		late := &fakeSource{down: func(at time.Duration) bool { return at < 3*time.Second }}
		if _, err := newTestWatcher(time.Minute, late).Run(t.Context(), func(State) {}); err != nil {
			t.Error(err)
		}
		// One reachable target suffices.
		if _, err := newTestWatcher(time.Minute, &fakeSource{}, &fakeSource{down: func(time.Duration) bool { return true }}).Run(t.Context(), func(State) {}); err != nil {
			t.Error(err)
		}
	})
}

func TestInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10500*time.Millisecond, cancel)
		s, err := newTestWatcher(time.Minute, &fakeSource{}).Run(ctx, func(State) {})
		if err != nil || s.Watched() < 9*time.Second || s.Watched() > 11*time.Second {
			t.Errorf("%v after %v", err, s.Watched())
		}
		endless := newTestWatcher(time.Minute, &fakeSource{})
		ctx, cancel = context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		looks := 0
		endless.RunUntilDone(ctx, func(State) { looks++ })
		if looks < 170 {
			t.Errorf("%d looks in three minutes", looks)
		}
	})
}

// TestSlowLooksAreRarer checks that looks are rarer if they take long.
func TestSlowLooksAreRarer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		if _, err := newTestWatcher(time.Minute, &fakeSource{duration: 200 * time.Millisecond}).Run(t.Context(), func(State) { looks++ }); err != nil {
			t.Fatal(err)
		}
		if looks < 13 || looks > 16 {
			t.Errorf("%d looks", looks)
		}
	})
}

// TestCountsOnly checks that a leak is suspected at most without traces, since ages are unknown.
func TestCountsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestWatcher(2*time.Minute, &fakeSource{from: target.Profile})
		s, err := w.Run(t.Context(), func(State) {})
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Findings) != 1 || s.Findings[0].Severity != finding.Suspected || s.Targets[0].Lacks != "no trace" {
			t.Errorf("%+v, %+v", s.Findings, s.Targets)
		}
		if s.Rows[0].Aged != -1 || s.Rows[0].Exits != -1 {
			t.Errorf("%+v", s.Rows[0])
		}
		if _, problems := w.Origins(t.Context()); len(problems) != 1 || !errors.Is(problems[0], errNoTrace) {
			t.Error(problems)
		}
	})
}

// TestRestart checks that ages and growth start anew after a restart.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := newTestWatcher(time.Minute, &fakeSource{restartAt: 30 * time.Second}).Run(t.Context(), func(State) {})
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Findings) != 1 || s.Findings[0].FirstVersion != "b1b1b1b1" || s.Findings[0].LastVersion != "b2b2b2b2" {
			t.Errorf("%+v", s.Findings)
		}
		if got := s.Targets[0]; got.Restarts != 1 || got.Watched > 31*time.Second {
			t.Errorf("%+v", got)
		}
	})
}

// TestAnotherTracer checks that ages are used in the looks without another tracer, and that the trace
// for origins waits for its end.
func TestAnotherTracer(t *testing.T) {
	for _, test := range []struct {
		name     string
		tracing  func(time.Duration) bool
		problems int
	}{
		{"at the beginning", func(at time.Duration) bool { return at < 3*time.Second }, 0},
		{"at the end", func(at time.Duration) bool { return at > 57*time.Second && at < 65*time.Second }, 0},
		{"from the end on", func(at time.Duration) bool { return at > 57*time.Second }, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestWatcher(time.Minute, &fakeSource{tracing: test.tracing})
				s, err := w.Run(t.Context(), func(State) {})
				if err != nil || len(s.Findings) != 1 || s.Findings[0].Severity != finding.Probable {
					t.Fatalf("%v, %+v", err, s.Findings)
				}
				if got := s.Targets[0]; got.Lacks != "" || got.From != target.Trace || got.Busy < 2 || got.Busy > 5 {
					t.Errorf("%+v", got)
				}
				if origins, problems := w.Origins(t.Context()); len(problems) != test.problems || len(origins)+len(problems) != 1 {
					t.Errorf("%+v, %v", origins, problems)
				}
			})
		})
	}
}

// TestAlikeProcess checks that a process does not count as watched throughout if it may have been
// replaced by another one with the same goroutines.
func TestAlikeProcess(t *testing.T) {
	for name, f := range map[string]*fakeSource{
		"unreachable between": {restartAt: 30 * time.Second, down: func(at time.Duration) bool { return at > 28*time.Second && at < 30*time.Second }},
		"at once":             {restartAt: 40 * time.Second},
		"by profiles":         {from: target.Profile, down: func(at time.Duration) bool { return at > 28*time.Second && at < 30*time.Second }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f.healthy, f.alike = true, true
				s, err := newTestWatcher(time.Minute, f).Run(t.Context(), func(State) {})
				if err != nil || s.Targets[0].Longest > 41*time.Second || s.Targets[0].Longest < 27*time.Second {
					t.Errorf("%v, %+v", err, s.Targets[0])
				}
			})
		})
	}
}

// TestNewConnections checks that a process whose server closes connections counts as watched.
func TestNewConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := newTestWatcher(time.Minute, &fakeSource{healthy: true, reconnects: true}).Run(t.Context(), func(State) {})
		if got := s.Targets[0]; err != nil || got.Longest != got.Watched || got.Longest < 59*time.Second {
			t.Errorf("%v, %+v", err, got)
		}
	})
}
