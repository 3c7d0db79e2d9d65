// Package watch looks at processes again and again, and tells what their goroutines do.
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

// Options are how it is looked.
type Options struct {
	// For is how long the watch is to last, by which everything is scaled.
	For time.Duration
	// Service is the name of the service that all targets are instances of. If empty, each
	// target is a service of its own.
	Service string
	// Ignore tells which groups are not flagged.
	Ignore func(judge.Sample) bool
	// Page receives the content of a page; nil if there is none.
	Page *page.Aggregator
}

// Interval returns how much time passes from one look to the next: a sixtieth of the watch,
// from which the least is that a look takes some milliseconds.
func (o Options) Interval() time.Duration { return max(o.For/60, 250*time.Millisecond) }

// Watch watches processes. It is not safe for concurrent use.
type Watch struct {
	options    Options
	thresholds judge.Thresholds
	judge      *judge.Judge
	processes  []*process
	began      time.Time
	looks      int
	took       time.Duration
}

// New returns a Watch over targets.
func New(o Options, targets []*target.Target) *Watch {
	t := judge.Scaled(o.For)
	w := &Watch{options: o, thresholds: t, judge: judge.New(t, o.Ignore, o.Page)}
	for _, each := range targets {
		w.processes = append(w.processes, newProcess(each, each.Name, cmp.Or(o.Service, each.Name), o, t))
	}
	return w
}

// Next returns the time from this look to the next. A process of many goroutines is looked at
// less often, so that it spends no more than a fortieth of its time on being looked at, but
// often enough to compare ages.
func (w *Watch) Next() time.Duration {
	return min(max(w.options.Interval(), 40*w.took), max(w.thresholds.AgedAfter, w.options.Interval()))
}

// Look looks at all processes at once, and returns what is known after it.
func (w *Watch) Look(ctx context.Context) State {
	began := time.Now()
	if w.looks == 0 {
		w.began = began
	}
	w.looks++
	var all sync.WaitGroup
	for _, p := range w.processes {
		all.Go(func() { p.look(ctx) })
	}
	all.Wait()
	now := time.Now()
	w.took = now.Sub(began)
	var samples []judge.Sample
	for _, p := range w.processes {
		samples = append(samples, p.take(now)...)
		w.judge.Looked(p.process, p.build, now, &p.report, p.err != nil)
	}
	changes := w.judge.Observe(now, samples)
	return w.state(now, changes)
}

// Rows returns the most rows that are told of a process: more do not fit any screen, and the
// worst come first.
const Rows = 1000

// State is what is known at one time.
type State struct {
	At, Began  time.Time
	Looks      int
	Thresholds judge.Thresholds
	Targets    []Target
	// Rows are the groups of all targets, the worst first.
	Rows     []Row
	Findings []finding.Finding
	// Changes are what is new of findings since the look before.
	Changes []finding.Change
}

// Watched is for how long it has been looked.
func (s *State) Watched() time.Duration { return s.At.Sub(s.Began) }

// Target is what is known of one target.
type Target struct {
	Name    string
	Service string
	// Error is why the last look failed, empty if it did not; and Since for how long it has.
	Error string
	Since time.Duration
	// Reached tells whether any look succeeded.
	Reached bool
	From    target.Source
	Lacks   string
	Count   int
	Groups  int
	// Watched is for how long this process has been watched, without those looks that
	// failed, and Restarts how often another process took its place.
	Watched  time.Duration
	Restarts int
	Looks    int
}

// Row is one group of one process.
type Row struct {
	Target    string
	Signature string
	finding.Place
	Count int
	// Grown is how many more there are than at the first look at the process.
	Grown int
	// Aged is how many are old, and Exits how many old ones have left, -1 if unknown.
	Aged, Exits int
	Severity    finding.Severity
	// Undecided tells that it gathers, and nothing was found yet.
	Undecided bool
	// ID is that of its finding, empty if there is none.
	ID string
}

// state puts together what is known.
func (w *Watch) state(now time.Time, changes []finding.Change) State {
	s := State{At: now, Began: w.began, Looks: w.looks, Thresholds: w.thresholds, Changes: changes, Findings: w.judge.Findings()}
	for _, p := range w.processes {
		s.Targets = append(s.Targets, p.target(now))
		s.Rows = append(s.Rows, p.rows(s.Findings)...)
	}
	slices.SortStableFunc(s.Rows, compareRows)
	return s
}

// compareRows orders the worst first: by severity, then what grows, then what is many.
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

// Gathers tells whether anything leaks or gathers, so that it is worth to trace it.
func (w *Watch) Gathers() bool {
	findings := w.judge.Findings()
	return slices.ContainsFunc(w.processes, func(p *process) bool {
		s := p.subjects(findings)
		return len(s.Groups)+len(s.Entries) > 0
	})
}
