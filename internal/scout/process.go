package scout

import (
	"cmp"
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
)

// Process is a process that is watched, or a target whose process is replaced now and then. It
// is safe for concurrent use.
type Process struct {
	scout *Scout
	rules Rules
	life
}

// life is what is known of a process until it is another one.
type life struct {
	service    string
	candidates census.Candidates
	purse      purse
	// wants are its candidates of the latest look, those that gather fastest first, and
	// tells what it has to tell, with the time until which.
	wants []want
	tells map[*subject]time.Time

	goroutines int
	births     float64 // a second
	creations  int64
	looked     time.Time

	plan     *Plan // that is being carried out
	rest     time.Time
	failures int
	// most is for how long it can be traced, if that is known; 0 is not.
	most time.Duration
}

// want is a candidate.
type want struct {
	census.Candidate
	of *subject
}

// Watch returns a process that is watched from now on.
func (s *Scout) Watch(r Rules) *Process { return &Process{scout: s, rules: r} }

// Leave forgets the process. What it has learned stays known.
func (p *Process) Leave() {
	p.scout.mu.Lock()
	defer p.scout.mu.Unlock()
	p.leave()
}

func (p *Process) leave() {
	p.release()
	p.tellNothing()
	p.life = life{}
}

// Look takes the census of a look. The service is whatever the process has in common with its
// replicas: they share what is learned. A new process begins afresh.
func (p *Process) Look(service string, r *census.Report, at time.Time) {
	p.scout.mu.Lock()
	defer p.scout.mu.Unlock()
	if r.Restarted {
		p.leave()
	}
	p.purse.fill(p.rules.Budget, at)
	if r.Complete {
		p.measure(r, at)
	}
	groups, entries := p.candidates.Observe(r, at)
	all := slices.Concat(groups, entries)
	slices.SortStableFunc(all, func(a, b census.Candidate) int { return cmp.Compare(b.PerHour, a.PerHour) })
	p.wants = nil
	if service != p.service { // its build has become known
		p.tellNothing()
		p.service = service
	}
	for _, c := range all[:min(len(all), maxSubjects)] {
		p.wants = append(p.wants, want{c, p.scout.subject(service, c.Signature, at)})
	}
	p.noteTold(at)
}

// measure notes how many goroutines there are, and how many are born in a second.
func (p *Process) measure(r *census.Report, at time.Time) {
	passed := at.Sub(p.looked).Seconds()
	if p.births = 0; !p.looked.IsZero() && passed > 0 {
		p.births = float64(r.Creations-p.creations) / passed
	}
	p.goroutines, p.creations, p.looked = r.Count, r.Creations, at
}

// Plan is a trace to be taken.
type Plan struct {
	Duration time.Duration
	Subjects origin.Subjects

	of         []*subject // in the order of Subjects
	perHour    []float64
	goroutines int
}

// Next returns the trace that is to be taken now in place of the next look, if there is one.
// Its result must be given to Return.
func (p *Process) Next(at time.Time) (*Plan, bool) {
	p.scout.mu.Lock()
	defer p.scout.mu.Unlock()
	p.purse.fill(p.rules.Budget, at)
	if p.plan != nil || p.scout.tracing >= atOnce || !p.purse.suffices() || at.Before(p.rest) ||
		p.goroutines > maxGoroutines || p.births > maxBirths {
		return nil, false
	}
	plan := &Plan{goroutines: p.goroutines}
	due := false
	for _, w := range p.wants {
		if w.of.known() || w.of.tracing != nil {
			continue
		}
		if !at.Before(w.of.due) {
			due = true
			plan.Duration = max(plan.Duration, w.of.length(p.rules))
		}
		plan.add(w)
	}
	if !due {
		return nil, false
	}
	plan.limit(p.rules.Interval/2, p.most)
	p.begin(plan)
	return plan, true
}

// add has the trace be taken for a candidate too. Groups come before entries.
func (p *Plan) add(w want) {
	s := origin.Subject{Signature: w.Signature, PerHour: w.PerHour}
	if w.Signature.ID == 0 {
		p.Subjects.Entries = append(p.Subjects.Entries, s)
		p.of, p.perHour = append(p.of, w.of), append(p.perHour, w.PerHour)
		return
	}
	i := len(p.Subjects.Groups)
	p.Subjects.Groups = append(p.Subjects.Groups, s)
	p.of, p.perHour = slices.Insert(p.of, i, w.of), slices.Insert(p.perHour, i, w.PerHour)
}

// limit shortens the trace. A limit of 0 is none.
func (p *Plan) limit(limits ...time.Duration) {
	for _, most := range limits {
		if most > 0 {
			p.Duration = min(p.Duration, most)
		}
	}
}

func (p *Process) begin(plan *Plan) {
	p.plan = plan
	p.scout.tracing++
	for _, of := range plan.of {
		of.tracing = p
	}
}

// release ends the trace that is being taken, if there is one.
func (p *Process) release() {
	if p.plan == nil {
		return
	}
	p.scout.tracing--
	for _, of := range p.plan.of {
		of.tracing = nil
	}
	p.plan = nil
}
