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

// source provides the data of a process.
type source interface {
	Look(context.Context) (target.Look, error)
	Build(context.Context) string
	Origins(context.Context, time.Duration, origin.Subjects) ([]origin.Origin, error)
}

// process is the state of a target and its process.
type process struct {
	source     source
	name       string
	identity   judge.Process
	census     *census.Census
	candidates census.Candidates
	ignore     func(judge.Sample) bool

	latest       target.Look
	build        string // empty if unknown
	buildChecked bool
	err          error // of the latest look
	report       census.Report
	groups       []census.Candidate
	entries      []census.Candidate

	minLeaked int
	reached   bool // a look has succeeded
	restarts  int
	looks     int
	busy      int           // looks without a trace since another client was tracing
	last      time.Time     // of the last successful look
	began     time.Time     // of the first look at the current process
	half      time.Duration // of the watch
	watched   time.Duration // current process
	alike     time.Duration // since the process may have been replaced unnoticed
	longest   time.Duration // the largest value of alike
	highest   uint64        // goroutine ID in that time
	failing   time.Time     // of the first consecutive failure; zero if the latest look succeeded
	// firstCounts are the counts at the first look, and middleCounts at the first one after half
	// of the watch.
	firstCounts, middleCounts map[stack.Signature]int
	undecided                 map[stack.Signature]bool
}

func newProcess(s source, name, service string, o Options, t judge.Thresholds) *process {
	return &process{
		source: s, name: name, identity: judge.Process{Service: service, Instance: name},
		census: census.New(t.AgedAfter, MaxRows), half: o.For / 2, ignore: o.Ignore, minLeaked: t.MinLeaked,
	}
}

// look takes a snapshot. Several processes may do so concurrently.
func (p *process) look(ctx context.Context) {
	if p.latest, p.err = p.source.Look(ctx); p.err == nil && !p.buildChecked {
		p.build, p.buildChecked = p.source.Build(ctx), true
	}
}

// observe adds the snapshot of the latest look to the census, and returns its samples.
func (p *process) observe(now time.Time) []judge.Sample {
	if p.err != nil {
		if p.failing.IsZero() {
			p.failing = now
		}
		return nil
	}
	if p.latest.NewConnection {
		p.census.Reconnected()
	}
	p.report = p.census.Observe(p.latest.Snapshot, now)
	restarted := p.report.Restarted && p.reached
	if restarted || p.mayBeReplaced() {
		p.alike, p.highest = 0, 0
	} else if p.reached && p.failing.IsZero() {
		p.alike += now.Sub(p.last)
	}
	p.highest, p.longest = max(p.highest, p.latest.HighestID), max(p.longest, p.alike)
	if restarted {
		p.restarts++
		p.build, p.buildChecked = "", false
		p.identity.Life++
		p.watched, p.firstCounts, p.middleCounts, p.undecided, p.began = 0, nil, nil, nil, now
	}
	if !p.reached {
		p.began = now
	}
	if p.reached && !restarted && p.failing.IsZero() {
		p.watched += now.Sub(p.last)
	}
	if p.firstCounts == nil {
		p.firstCounts = countsOf(&p.report)
	}
	if p.middleCounts == nil && now.Sub(p.began) >= p.half {
		p.middleCounts = countsOf(&p.report)
	}
	p.reached, p.last, p.failing = true, now, time.Time{}
	p.looks++
	if p.latest.Busy {
		p.busy++
	}
	if p.report.Complete { // candidates require ages
		p.groups, p.entries = p.candidates.Observe(&p.report, now)
		p.undecided = p.undecidedGroups()
	}
	p.latest.Snapshot = nil // not needed any more
	// The start of the first process is unknown, and usually before the watch. So growth in it is
	// not judged as growth from the start of a process.
	start := time.Time{}
	if p.restarts > 0 {
		start = p.report.Start
	}
	return judge.Samples(p.identity, &p.report, start, now)
}

// mayBeReplaced reports whether the latest look may be at another process than the previous one,
// although the census sees no difference: two processes of one binary have the same goroutines at
// first. IDs of goroutines rise. Without a failed look, and with a new connection, they may fall by
// the batches of IDs that Ps reserve.
func (p *process) mayBeReplaced() bool {
	s, failed := p.latest.Snapshot, !p.failing.IsZero()
	switch {
	case !p.reached || !failed && !p.latest.NewConnection:
		return false
	case s.Source != stack.SourceTrace:
		return failed
	case failed:
		return s.HighestID < p.highest
	}
	return s.IDsFell(p.highest, s.Procs)
}

func (p *process) target(now time.Time) Target {
	t := Target{
		Name: p.name, Service: p.identity.Service, Reached: p.reached, From: p.latest.From, Lacks: p.latest.Lacks, Busy: p.busy,
		Count: p.report.Count, Groups: len(p.report.Groups), Watched: p.watched, Longest: p.longest, Restarts: p.restarts, Looks: p.looks,
	}
	if p.latest.Busy && p.busy < p.looks { // the other looks have ages
		t.From, t.Lacks = target.Trace, ""
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
		if f.Service.Name != p.identity.Service || f.Status != finding.Open {
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
			Grown: g.Count - p.firstCounts[g.Signature], Aged: -1, Exits: -1,
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

// undecidedGroups returns the groups that may be a leak or a pool that fills: enough goroutines are
// old, none has exited, and more arrived in the second half of the watch. A group must be a
// candidate: goroutines of a pool that move to another line all at once look like arrivals.
func (p *process) undecidedGroups() map[stack.Signature]bool {
	candidates := make(map[stack.Signature]bool, len(p.groups))
	for _, c := range p.groups {
		candidates[c.Signature] = true
	}
	undecided := make(map[stack.Signature]bool)
	for _, g := range p.report.Groups {
		aged, exits := 0, int64(0)
		for _, band := range g.Bands {
			aged, exits = aged+band.Aged, exits+band.Exits
		}
		if candidates[g.Signature] && p.middleCounts != nil && !p.ignored(g.Signature) && exits == 0 && aged >= p.minLeaked &&
			g.Count-p.firstCounts[g.Signature] >= p.minLeaked && g.Count-p.middleCounts[g.Signature] >= minLateArrivals {
			undecided[g.Signature] = true
		}
	}
	return undecided
}

// ignored reports whether the user excludes a group.
func (p *process) ignored(s stack.Signature) bool {
	return p.ignore(judge.Sample{Process: p.identity, Kind: detect.Stack, Place: judge.PlaceOf(s), Signature: s.ID.String()})
}

// minLateArrivals is the fewest arrivals in the second half of the watch for a group to be undecided.
const minLateArrivals = 3

func countsOf(r *census.Report) map[stack.Signature]int {
	counts := make(map[stack.Signature]int, len(r.Groups))
	for _, g := range r.Groups {
		counts[g.Signature] = g.Count
	}
	return counts
}
