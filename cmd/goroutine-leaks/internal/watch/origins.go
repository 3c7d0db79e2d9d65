package watch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/target"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// traceDurations are those of the traces for origins: the second one is taken if the first has no
// start of a leaked goroutine (docs/decisions/origins.md).
var traceDurations = []time.Duration{time.Second, 3 * time.Second}

// maxTraced is the most goroutines of a process that is traced for origins. With more, the traces
// delay its requests (docs/decisions/origins.md).
const maxTraced = 50_000

// maxSubjects is the most groups, and the most entries, of a process to find the origins of.
const maxSubjects = 50

// Origin is the origin of a group of a target.
type Origin struct {
	Target string
	origin.Origin
}

// Origins traces each process whose goroutines leak or accumulate, and returns their origins and the
// errors of targets.
func (w *Watcher) Origins(ctx context.Context) (found []Origin, problems []error) {
	findings := w.judge.Findings()
	results := make([]traceResult, len(w.processes))
	var traces sync.WaitGroup
	for i, p := range w.processes {
		subjects := p.subjects(findings)
		if len(subjects.Groups)+len(subjects.Entries) > 0 {
			traces.Go(func() { results[i] = p.trace(ctx, subjects) })
		}
	}
	traces.Wait()
	now := time.Now()
	for i, p := range w.processes {
		w.judge.AddOrigins(p.identity, results[i].origins, now)
		for _, o := range results[i].origins {
			found = append(found, Origin{p.name, o})
		}
		if err := results[i].err; err != nil {
			problems = append(problems, fmt.Errorf("%s: cannot find what starts the goroutines: %w", p.name, err))
		}
	}
	return found, problems
}

// DowngradeAtWork lowers findings whose goroutines are at work to suspected, and updates the
// findings of the last state.
func (w *Watcher) DowngradeAtWork(origins []Origin, last *State) {
	now := time.Now()
	for _, p := range w.processes {
		var own []origin.Origin
		for _, o := range origins {
			if o.Target == p.name {
				own = append(own, o.Origin)
			}
		}
		w.judge.DowngradeAtWork(p.identity, own, now)
	}
	last.Findings = w.judge.Findings()
	severity := make(map[string]finding.Severity)
	for i := range last.Findings {
		severity[last.Findings[i].ID] = last.Findings[i].Severity
	}
	for i := range last.Rows {
		if row := &last.Rows[i]; row.ID != "" {
			row.Severity = severity[row.ID]
		}
	}
}

var errNoTrace = errors.New("no execution trace")

// busyTimeout is how long another client may trace the process before the trace for origins is given
// up, and busyPause the time between attempts. The traces of this command take 1 and 3 s.
const (
	busyTimeout = 10 * time.Second
	busyPause   = 500 * time.Millisecond
)

// traceResult is the result of the traces of a process.
type traceResult struct {
	origins []origin.Origin
	err     error
}

// subjects returns the flagged and the accumulating groups and entries.
func (p *process) subjects(findings []finding.Finding) origin.Subjects {
	perHour := make(map[stack.ID]float64)
	for _, c := range p.groups {
		perHour[c.Signature.ID] = c.PerHour
	}
	leaking := make(map[string]bool)
	for _, row := range p.rows(findings) {
		leaking[row.Signature] = row.Severity > 0
	}
	var s origin.Subjects
	known := make(map[string]bool)
	for _, f := range findings {
		if entry := f.Head.Entry; f.Head.IsEntry() && f.Service.Name == p.identity.Service && !known[entry] {
			s.Entries = append(s.Entries, origin.Subject{Signature: stack.Signature{Entry: entry}, PerHour: f.PerHour})
			known[entry] = true
		}
	}
	flagged := maps.Clone(known) // all groups of a flagged entry are subjects
	for _, g := range p.report.Groups {
		growth, accumulates := perHour[g.Signature.ID]
		if (accumulates || leaking[g.Signature.ID.String()] || flagged[g.Signature.Entry]) && !g.Other && !p.ignored(g.Signature) && len(s.Groups) < maxSubjects {
			s.Groups = append(s.Groups, origin.Subject{Signature: g.Signature, PerHour: growth})
			known[g.Signature.Entry] = true
		}
	}
	for _, e := range p.entries {
		if !known[e.Signature.Entry] && len(s.Entries) < maxSubjects {
			s.Entries = append(s.Entries, origin.Subject{Signature: e.Signature, PerHour: e.PerHour})
		}
	}
	return s
}

func (p *process) trace(ctx context.Context, subjects origin.Subjects) (r traceResult) {
	switch {
	case p.err != nil:
		return traceResult{err: p.err}
	case p.latest.From != target.Trace && !p.latest.Busy:
		return traceResult{err: errNoTrace}
	case p.report.Count > maxTraced:
		return traceResult{err: fmt.Errorf("processes with more than %d goroutines are not traced", maxTraced)}
	}
	for _, d := range traceDurations {
		origins, err := p.traceWhenFree(ctx, d, subjects)
		r.err = err
		if len(origins) > 0 {
			r.origins = origins
		}
		if err != nil || !slices.ContainsFunc(r.origins, func(o origin.Origin) bool { return o.Caught != origin.LeakedBirth }) {
			break
		}
	}
	return r
}

// traceWhenFree traces the process, if necessary after another client.
func (p *process) traceWhenFree(ctx context.Context, d time.Duration, subjects origin.Subjects) ([]origin.Origin, error) {
	for began := time.Now(); ; {
		origins, err := p.source.Origins(ctx, d, subjects)
		switch {
		case !target.IsBusy(err):
			return origins, err
		case time.Since(began) >= busyTimeout || !sleep(ctx, busyPause):
			return origins, fmt.Errorf("another client seems to trace the process: %w", err)
		}
	}
}
