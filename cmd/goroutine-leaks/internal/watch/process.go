package watch

import (
	"context"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/target"
	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// source is where snapshots of a process come from.
type source interface {
	Look(context.Context) (target.Look, error)
	Build(context.Context) string
	Origins(context.Context, time.Duration, origin.Subjects) ([]origin.Origin, error)
}

// process is one target, and what is known of the process there.
type process struct {
	source  source
	name    string
	process judge.Process
	census  *census.Census
	gathers census.Candidates
	ignore  func(judge.Sample) bool

	looked  target.Look
	build   string // of the process; empty is unknown
	settled bool   // its build is, or cannot be had
	err     error
	report  census.Report
	groups  []census.Candidate
	entries []census.Candidate

	minLeaked int
	reached   bool
	restarts  int
	looks     int
	last      time.Time     // of a look that succeeded
	began     time.Time     // when the process was seen first
	half      time.Duration // of the watch
	watched   time.Duration
	failing   time.Time // since when looks have failed; zero if the last did not
	first     map[stack.Signature]int
	// later are the counts at the first look after half of the time.
	later map[stack.Signature]int
	// undecided are the groups of which nothing can be said.
	undecided map[stack.Signature]bool
}

func newProcess(from source, name, service string, o Options, t judge.Thresholds) *process {
	return &process{
		source: from, name: name, process: judge.Process{Service: service, Instance: name},
		census: census.New(t.AgedAfter, Rows), half: o.For / 2, ignore: o.Ignore, minLeaked: t.MinLeaked,
	}
}

// look asks for a snapshot. It touches nothing that others read meanwhile.
func (p *process) look(ctx context.Context) {
	if p.looked, p.err = p.source.Look(ctx); p.err == nil && !p.settled {
		p.build, p.settled = p.source.Build(ctx), true
	}
}

// take takes the snapshot into the census, and returns what it measures.
func (p *process) take(now time.Time) []judge.Sample {
	if p.err != nil {
		if p.failing.IsZero() {
			p.failing = now
		}
		return nil
	}
	if p.looked.NewConnection {
		p.census.Reconnected()
	}
	p.report = p.census.Observe(p.looked.Snapshot, now)
	restarted := p.report.Restarted && p.reached
	if restarted {
		p.restarts++
		p.build, p.settled = "", false
		p.process.Life++
		p.watched, p.first, p.later, p.undecided, p.began = 0, nil, nil, nil, now
	}
	if !p.reached {
		p.began = now
	}
	if p.reached && !restarted && p.failing.IsZero() {
		p.watched += now.Sub(p.last)
	}
	if p.first == nil {
		p.first = countsOf(&p.report)
	}
	if p.later == nil && now.Sub(p.began) >= p.half {
		p.later = countsOf(&p.report)
	}
	p.reached, p.last, p.failing = true, now, time.Time{}
	p.looks++
	if p.report.Complete { // a look without ages changes nothing about who gathers
		p.groups, p.entries = p.gathers.Observe(&p.report, now)
		p.undecided = p.undecidedGroups()
	}
	p.looked.Snapshot = nil // it is in the census
	// Nobody knows how old the first process is. What grows in it has begun to grow before the
	// watch as a rule, so it is not judged as what fills from the start of a process.
	start := time.Time{}
	if p.restarts > 0 {
		start = p.report.Start
	}
	return judge.Samples(p.process, &p.report, start, now)
}

func (p *process) target(now time.Time) Target {
	t := Target{
		Name: p.name, Service: p.process.Service, Reached: p.reached, From: p.looked.From, Lacks: p.looked.Lacks,
		Count: p.report.Count, Groups: len(p.report.Groups), Watched: p.watched, Restarts: p.restarts, Looks: p.looks,
	}
	if p.err != nil {
		t.Error, t.Since = p.err.Error(), now.Sub(p.failing)
	}
	return t
}

// rows returns the groups of the process, with the severities of their findings.
func (p *process) rows(findings []finding.Finding) []Row {
	type key struct{ state, function, entry string }
	flagged := make(map[key]*finding.Finding)
	for i := range findings {
		f := &findings[i]
		if f.Service.Name != p.process.Service || f.Status != finding.Open {
			continue
		}
		for _, place := range f.Places {
			flagged[key{place.State, place.Function, place.Entry}] = f
		}
	}
	rows := make([]Row, 0, len(p.report.Groups))
	for _, g := range p.report.Groups {
		if g.Other {
			continue
		}
		row := Row{
			Target: p.name, Signature: g.Signature.ID.String(), Place: judge.PlaceOf(g.Signature), Count: g.Count,
			Grown: g.Count - p.first[g.Signature], Aged: -1, Exits: -1,
		}
		if p.report.Complete {
			row.Aged, row.Exits = 0, 0
			for _, band := range g.Bands {
				row.Aged, row.Exits = row.Aged+band.Aged, row.Exits+int(band.Exits)
			}
		}
		row.Undecided = p.undecided[g.Signature]
		f := flagged[key{row.State, row.Function, row.Entry}]
		if f == nil && row.Entry != "" {
			f = flagged[key{"", "", row.Entry}]
		}
		if f != nil {
			row.Severity, row.ID, row.Undecided = f.Severity, f.ID, false
		}
		rows = append(rows, row)
	}
	return rows
}

// undecidedGroups returns the groups that gather, and of which nothing else can be said: enough are
// old, none leaves, and they still come in the second half of the time. Each may be a leak, or a
// pool that fills. They must be candidates: goroutines of a pool that go from one line to another
// all at once look as if they had just come.
func (p *process) undecidedGroups() map[stack.Signature]bool {
	candidates := make(map[stack.Signature]bool, len(p.groups))
	for _, c := range p.groups {
		candidates[c.Signature] = true
	}
	all := make(map[stack.Signature]bool)
	for _, g := range p.report.Groups {
		aged, exits := 0, int64(0)
		for _, band := range g.Bands {
			aged, exits = aged+band.Aged, exits+band.Exits
		}
		if candidates[g.Signature] && p.later != nil && !p.ignored(g.Signature) && exits == 0 && aged >= p.minLeaked &&
			g.Count-p.first[g.Signature] >= p.minLeaked && g.Count-p.later[g.Signature] >= stillComes {
			all[g.Signature] = true
		}
	}
	return all
}

// ignored tells whether the user does not want to be told of a group.
func (p *process) ignored(s stack.Signature) bool {
	return p.ignore(judge.Sample{Process: p.process, Kind: detect.Stack, Place: judge.PlaceOf(s), Signature: s.ID.String()})
}

// stillComes is how many must have come in the second half of the time.
const stillComes = 3

func countsOf(r *census.Report) map[stack.Signature]int {
	counts := make(map[stack.Signature]int, len(r.Groups))
	for _, g := range r.Groups {
		counts[g.Signature] = g.Count
	}
	return counts
}
