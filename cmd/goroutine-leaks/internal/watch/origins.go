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

// The traces for origins: one of a second as a rule, and one of three where that held no
// birth of a goroutine that leaks (docs/decisions/origins.md).
var traces = []time.Duration{time.Second, 3 * time.Second}

// maxTraced is how many goroutines a process may have that is traced for so long. Above that
// its requests wait for longer while it is traced (docs/decisions/origins.md).
const maxTraced = 50_000

// maxSubjects is how many groups of a process are asked for, the worst first.
const maxSubjects = 50

// Origin is what is known of where the goroutines of a group of a process come from.
type Origin struct {
	Target string
	origin.Origin
}

// Origins traces each process in which anything leaks or gathers, and returns where the
// goroutines come from, and what prevented to learn it of which target.
func (w *Watch) Origins(ctx context.Context) (found []Origin, problems []error) {
	findings := w.judge.Findings()
	results := make([]traced, len(w.processes))
	var all sync.WaitGroup
	for i, p := range w.processes {
		subjects := p.subjects(findings)
		if len(subjects.Groups)+len(subjects.Entries) > 0 {
			all.Go(func() { results[i] = p.trace(ctx, subjects) })
		}
	}
	all.Wait()
	now := time.Now()
	for i, p := range w.processes {
		w.judge.Origins(p.process, results[i].origins, now)
		for _, o := range results[i].origins {
			found = append(found, Origin{p.name, o})
		}
		if err := results[i].err; err != nil {
			problems = append(problems, fmt.Errorf("%s: where goroutines come from is not known: %w", p.name, err))
		}
	}
	return found, problems
}

// Weigh has what is at work, as origins tell, be suspected at most, and puts what is known of findings
// into the last state of a watch.
func (w *Watch) Weigh(origins []Origin, last *State) {
	now := time.Now()
	for _, p := range w.processes {
		var of []origin.Origin
		for _, o := range origins {
			if o.Target == p.name {
				of = append(of, o.Origin)
			}
		}
		w.judge.Weigh(p.process, of, now)
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

var errNoTrace = errors.New("it gives no execution trace")

// traced is what came of the traces of a process.
type traced struct {
	origins []origin.Origin
	err     error
}

// subjects returns what is worth to be asked: groups that are flagged, and those that gather.
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
		if entry := f.Head.Entry; f.Head.Function == "" && entry != "" && f.Service.Name == p.process.Service && !known[entry] {
			s.Entries = append(s.Entries, origin.Subject{Signature: stack.Signature{Entry: entry}, PerHour: f.PerHour})
			known[entry] = true
		}
	}
	whole := maps.Clone(known) // entries that are asked for as such, and by all of their groups
	for _, g := range p.report.Groups {
		pace, gathers := perHour[g.Signature.ID]
		if (gathers || leaking[g.Signature.ID.String()] || whole[g.Signature.Entry]) && !g.Other && !p.ignored(g.Signature) && len(s.Groups) < maxSubjects {
			s.Groups = append(s.Groups, origin.Subject{Signature: g.Signature, PerHour: pace})
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

func (p *process) trace(ctx context.Context, of origin.Subjects) (t traced) {
	switch {
	case p.err != nil:
		t.err = p.err
		return t
	case p.looked.From != target.Trace:
		t.err = errNoTrace
		return t
	case p.report.Count > maxTraced:
		t.err = fmt.Errorf("a process of more than %d goroutines is not traced for longer than a look", maxTraced)
		return t
	}
	for _, d := range traces {
		origins, err := p.source.Origins(ctx, d, of)
		t.err = err
		if len(origins) > 0 {
			t.origins = origins
		}
		if err != nil || !slices.ContainsFunc(t.origins, func(o origin.Origin) bool { return o.Caught != origin.LeakedBirth }) {
			break
		}
	}
	return t
}
