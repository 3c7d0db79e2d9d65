// Package watch takes snapshots of processes repeatedly and finds leaks in them.
package watch

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/target"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/page"
)

// Options configure a Watcher.
type Options struct {
	// For is the duration of the watch, to which thresholds and intervals are scaled.
	For time.Duration
	// Service is the name of the service that all targets are instances of. If empty, each
	// target is a service of its own.
	Service string
	// Ignore returns true for groups that are not flagged.
	Ignore func(judge.Sample) bool
	// Page receives the data of a page if not nil.
	Page *page.Aggregator
}

// Interval returns the time between looks: a sixtieth of the watch, but at least 250 ms, since a look
// takes milliseconds.
func (o Options) Interval() time.Duration { return max(o.For/60, 250*time.Millisecond) }

// Watcher watches processes. It is not safe for concurrent use.
type Watcher struct {
	options    Options
	thresholds judge.Thresholds
	judge      *judge.Judge
	processes  []*process
	began      time.Time
	looks      int
	took       time.Duration // the latest look
}

// New returns a Watcher of targets.
func New(o Options, targets []*target.Target) *Watcher {
	thresholds := judge.Scaled(o.For)
	w := &Watcher{options: o, thresholds: thresholds, judge: judge.New(thresholds, o.Ignore, o.Page)}
	for _, t := range targets {
		w.processes = append(w.processes, newProcess(t, t.Name, cmp.Or(o.Service, t.Name), o, thresholds))
	}
	return w
}

// Next returns the time until the next look. Looks at processes with many goroutines are rarer, so
// that they take at most a fortieth of the time, but frequent enough to compare ages.
func (w *Watcher) Next() time.Duration {
	return min(max(w.options.Interval(), 40*w.took), max(w.thresholds.AgedAfter, w.options.Interval()))
}

// Look takes a snapshot of each process concurrently, and returns the resulting state.
func (w *Watcher) Look(ctx context.Context) State {
	began := time.Now()
	if w.looks == 0 {
		w.began = began
	}
	w.looks++
	var looks sync.WaitGroup
	for _, p := range w.processes {
		looks.Go(func() { p.look(ctx) })
	}
	looks.Wait()
	now := time.Now()
	w.took = now.Sub(began)
	var samples []judge.Sample
	for _, p := range w.processes {
		samples = append(samples, p.observe(now)...)
		w.judge.ObserveProcess(p.identity, p.build, now, &p.report, p.err != nil)
	}
	changes := w.judge.Observe(now, samples)
	return w.state(now, changes)
}

// MaxRows is the most groups of a process in a census.
const MaxRows = 1000

// State is the state of a watch after a look.
type State struct {
	At, Began  time.Time
	Looks      int
	Thresholds judge.Thresholds
	Targets    []Target
	// Rows are the groups of all targets, worst first.
	Rows     []Row
	Findings []finding.Finding
	// Changes are the changes of findings in the latest look.
	Changes []finding.Change
}

// Watched returns how long the watch has lasted.
func (s *State) Watched() time.Duration { return s.At.Sub(s.Began) }

// Target is the state of a target.
type Target struct {
	Name    string
	Service string
	// Error is the error of the latest look, empty if it succeeded, and Since how long looks have
	// failed.
	Error string
	Since time.Duration
	// Reached reports whether any look has succeeded.
	Reached bool
	From    target.Source
	Lacks   string
	Count   int
	Groups  int
	// Watched is how long the current process has been watched, without failed looks.
	Watched time.Duration
	// Longest is the longest time that a process has been watched in which it cannot have been
	// replaced.
	Longest  time.Duration
	Restarts int
	Looks    int
	// Busy is the number of looks that have no ages since another client was tracing.
	Busy int
}

// Row is a group of a process.
type Row struct {
	Target    string
	Signature string
	finding.Place
	Count int
	// Grown is the growth of Count since the first look at the process.
	Grown int
	// Aged is the number of old goroutines, and Exits that of old ones that have exited; -1 if
	// unknown.
	Aged, Exits int
	Severity    finding.Severity
	// Undecided means that the group accumulates goroutines, but is not flagged.
	Undecided bool
	// ID is the ID of the finding, empty if not flagged.
	ID string
}

func (w *Watcher) state(now time.Time, changes []finding.Change) State {
	s := State{At: now, Began: w.began, Looks: w.looks, Thresholds: w.thresholds, Changes: changes, Findings: w.judge.Findings()}
	for _, p := range w.processes {
		s.Targets = append(s.Targets, p.target(now))
		s.Rows = append(s.Rows, p.rows(s.Findings)...)
	}
	slices.SortStableFunc(s.Rows, compareRows)
	return s
}

// compareRows orders rows worst first: by severity, growth and count.
func compareRows(a, b Row) int {
	return cmp.Or(
		cmp.Compare(b.Severity, a.Severity),
		cmp.Compare(b.Grown, a.Grown),
		cmp.Compare(b.Count, a.Count),
		cmp.Compare(a.Function, b.Function),
		cmp.Compare(a.Line, b.Line),
		cmp.Compare(a.Signature, b.Signature),
		cmp.Compare(a.Target, b.Target),
	)
}

// HasCandidates reports whether the goroutines of any group leak or accumulate, so that Origins takes
// traces.
func (w *Watcher) HasCandidates() bool {
	findings := w.judge.Findings()
	return slices.ContainsFunc(w.processes, func(p *process) bool {
		s := p.subjects(findings)
		return len(s.Groups)+len(s.Entries) > 0
	})
}
