package watch

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/target"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

func signature(id stack.ID, function string) stack.Signature {
	return stack.Signature{
		ID: id, State: stack.StateSelect, Blamed: stack.Frame{Function: function, File: "/src/main.go", Line: int(id)}, Entry: function,
	}
}

// fakeSource is a process with a pool of four goroutines that leaks one goroutine a second.
type fakeSource struct {
	began    time.Time
	duration time.Duration // of a look
	// down reports whether looks fail at a time since the first one.
	down   func(time.Duration) bool
	from   target.Source
	traced []origin.Subjects
	// healthy means that nothing leaks.
	healthy bool
	// restartAt is when the process is replaced, 0 if never.
	restartAt time.Duration
	// alike means that the new process has the same goroutines.
	alike bool
	// busyAt is when twenty idle workers begin to work; 0 if there are no workers.
	busyAt time.Duration
	// tracing reports whether another client traces the process at a time since the first look.
	tracing func(time.Duration) bool
}

var errTracing = &target.StatusError{Code: http.StatusInternalServerError}

var errDown = errors.New("connection refused")

func (f *fakeSource) Look(ctx context.Context) (target.Look, error) {
	if f.began.IsZero() {
		f.began = time.Now()
	}
	at := time.Since(f.began)
	select {
	case <-ctx.Done():
		return target.Look{}, ctx.Err()
	case <-time.After(f.duration):
	}
	if f.down != nil && f.down(at) {
		return target.Look{}, errDown
	}
	look := target.Look{Snapshot: &stack.Snapshot{Source: stack.SourceTrace, Procs: 2}, From: target.Trace}
	first, leaked := uint64(100), int(at.Seconds())
	worker := signature(7, "main.work")
	if f.restartAt > 0 && at >= f.restartAt {
		leaked, look.NewConnection = int((at - f.restartAt).Seconds()), true
		if !f.alike { // known IDs have different entries
			worker = signature(8, "main.other")
		}
	}
	look.HighestID = first + uint64(leaked)
	if f.healthy {
		leaked = 0
	}
	add := func(s stack.Signature, first uint64, n int) {
		if n == 0 {
			return
		}
		look.Groups = append(look.Groups, stack.Group{Signature: s, Count: n})
		for i := range n {
			look.Goroutines = append(look.Goroutines, stack.Goroutine{ID: first + uint64(i), Group: int32(len(look.Groups) - 1)})
		}
	}
	add(worker, 10, 4)
	add(signature(5, "main.leak"), first, leaked)
	if f.busyAt > 0 {
		line := signature(9, "main.idle")
		if at >= f.busyAt {
			line = signature(11, "main.busy")
		}
		line.Entry = "main.serve"
		add(line, 50, 20)
	}
	look.Busy = f.tracing != nil && f.tracing(at)
	if f.from == target.Profile || look.Busy {
		look.From, look.Source, look.Goroutines, look.HighestID, look.Lacks = target.Profile, stack.SourceProfile, nil, 0, "no trace"
	}
	return look, nil
}

// Build returns a different build after the restart.
func (f *fakeSource) Build(context.Context) string {
	if f.restartAt > 0 && time.Since(f.began) > f.restartAt {
		return "b2b2b2b2"
	}
	return "b1b1b1b1"
}

func (f *fakeSource) Origins(_ context.Context, d time.Duration, subjects origin.Subjects) ([]origin.Origin, error) {
	if f.tracing != nil && f.tracing(time.Since(f.began)) {
		return nil, errTracing
	}
	f.traced = append(f.traced, subjects)
	time.Sleep(d)
	var all []origin.Origin
	for _, s := range subjects.Groups {
		all = append(all, origin.Origin{
			Signature: s.Signature, Caught: origin.LeakedBirth,
			Creators: []origin.Creator{{Own: stack.Frame{Function: "main.start", File: "/src/main.go", Line: 9}, Count: 1, Share: 1}},
		})
	}
	return all, nil
}

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
