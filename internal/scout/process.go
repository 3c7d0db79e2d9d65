package scout

import (
	"cmp"
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
)

// Process is a watched process, or a target whose process may be replaced. It is safe for
// concurrent use.
type Process struct {
	scout *Scout
	rules Rules
	processState
}

// processState is the state of a Process until the process is replaced.
type processState struct {
	service    string
	candidates census.Candidates
	budget     budget
	// requests are the candidates of the latest census report, fastest first.
	requests []request
	// reported has the subjects whose origins the process reports, and until when.
	reported map[*subject]time.Time

	goroutines int
	births     float64 // a second
	creations  int64
	observedAt time.Time

	plan      *Plan // the current one
	restUntil time.Time
	failures  int
	// maxDuration is the longest possible trace, 0 if unknown.
	maxDuration time.Duration
}

// request is a candidate with its subject.
type request struct {
	census.Candidate
	subject *subject
}

// Watch adds a process.
func (s *Scout) Watch(r Rules) *Process { return &Process{scout: s, rules: r} }

// Reset discards the state of the process. Its service keeps the origins that it has found.
func (p *Process) Reset() {
	p.scout.mu.Lock()
	defer p.scout.mu.Unlock()
	p.reset()
}

func (p *Process) reset() {
	p.release()
	p.dropReports()
	p.processState = processState{}
}

// Observe adds the next census of the process. Processes with the same service, such as replicas,
// share their results. If the process was replaced, its state is reset.
func (p *Process) Observe(service string, r *census.Report, at time.Time) {
	p.scout.mu.Lock()
	defer p.scout.mu.Unlock()
	if r.Restarted {
		p.reset()
	}
	p.budget.fill(p.rules.Budget, at)
	if r.Complete {
		p.measure(r, at)
	}
	groups, entries := p.candidates.Observe(r, at)
	all := slices.Concat(groups, entries)
	slices.SortStableFunc(all, func(a, b census.Candidate) int { return cmp.Compare(b.PerHour, a.PerHour) })
	p.requests = nil
	if service != p.service { // it may include the build, which becomes known later
		p.dropReports()
		p.service = service
	}
	for _, c := range all[:min(len(all), maxSubjects)] {
		p.requests = append(p.requests, request{c, p.scout.subject(service, c.Signature, at)})
	}
	p.updateReports(at)
}

// measure updates the number of goroutines and the births a second.
func (p *Process) measure(r *census.Report, at time.Time) {
	passed := at.Sub(p.observedAt).Seconds()
	if p.births = 0; !p.observedAt.IsZero() && passed > 0 {
		p.births = float64(r.Creations-p.creations) / passed
	}
	p.goroutines, p.creations, p.observedAt = r.Count, r.Creations, at
}

// Plan is a trace to take.
type Plan struct {
	Duration time.Duration
	Subjects origin.Subjects

	subjects   []*subject // in the order of Subjects
	perHour    []float64
	goroutines int
}

// Next returns the trace to take now instead of the next observation, if there is one. Pass its
// result to AddResult.
func (p *Process) Next(at time.Time) (*Plan, bool) {
	p.scout.mu.Lock()
	defer p.scout.mu.Unlock()
	p.budget.fill(p.rules.Budget, at)
	if p.plan != nil || p.scout.tracing >= maxConcurrent || !p.budget.suffices() || at.Before(p.restUntil) ||
		p.goroutines > maxGoroutines || p.births > maxBirths {
		return nil, false
	}
	plan := &Plan{goroutines: p.goroutines}
	due := false
	for _, c := range p.requests {
		if c.subject.isKnown() || c.subject.tracing != nil {
			continue
		}
		if !at.Before(c.subject.due) {
			due = true
			plan.Duration = max(plan.Duration, c.subject.length(p.rules))
		}
		plan.add(c)
	}
	if !due {
		return nil, false
	}
	plan.limit(p.rules.Interval/2, p.maxDuration)
	p.startPlan(plan)
	return plan, true
}

// add adds a candidate to the plan. Groups come before entries.
func (p *Plan) add(c request) {
	s := origin.Subject{Signature: c.Signature, PerHour: c.PerHour}
	if c.Signature.ID == 0 {
		p.Subjects.Entries = append(p.Subjects.Entries, s)
		p.subjects, p.perHour = append(p.subjects, c.subject), append(p.perHour, c.PerHour)
		return
	}
	i := len(p.Subjects.Groups)
	p.Subjects.Groups = append(p.Subjects.Groups, s)
	p.subjects, p.perHour = slices.Insert(p.subjects, i, c.subject), slices.Insert(p.perHour, i, c.PerHour)
}

// limit shortens the trace. Limits of 0 are ignored.
func (p *Plan) limit(limits ...time.Duration) {
	for _, most := range limits {
		if most > 0 {
			p.Duration = min(p.Duration, most)
		}
	}
}

func (p *Process) startPlan(plan *Plan) {
	p.plan = plan
	p.scout.tracing++
	for _, s := range plan.subjects {
		s.tracing = p
	}
}

// release ends the current plan, if there is one.
func (p *Process) release() {
	if p.plan == nil {
		return
	}
	p.scout.tracing--
	for _, s := range p.plan.subjects {
		s.tracing = nil
	}
	p.plan = nil
}
