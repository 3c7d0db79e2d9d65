package scout

import (
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/origin"
)

// Ending is how a trace ended.
type Ending uint8

const (
	// Read means that it was read to its end, or until everything was known.
	Read Ending = iota
	// Busy means that another client traces the process, which is temporary.
	Busy
	// Failed means that the trace could not be obtained or is incomplete.
	Failed
)

// Result is the result of a trace.
type Result struct {
	Ending Ending
	// Origins are the origins in the order of Plan.Subjects, also of a trace that failed
	// later; nil if nothing was read.
	Origins []origin.Origin
	// Size is the number of bytes read, and Reading the CPU time of reading them.
	Size    int
	Reading time.Duration
}

// AddResult adds the result of the trace that Next has planned, and returns the origins that have
// changed. It ignores the result if the process was replaced in the meantime.
func (p *Process) AddResult(r Result, at time.Time) (changed []origin.Origin) {
	p.scout.mu.Lock()
	defer p.scout.mu.Unlock()
	if p.plan == nil {
		return nil
	}
	plan := p.plan
	p.release()
	p.budget.pay(plan.cost(r))
	p.noteEnding(r.Ending, plan, at)
	if len(r.Origins) != len(plan.subjects) {
		return nil
	}
	for i, s := range plan.subjects {
		s.traced(p.rules, plan.perHour[i], at)
		if s.learned.add(r.Origins[i]) {
			changed = append(changed, s.learned.summary())
		}
		p.report(s, at)
	}
	return changed
}

// noteEnding schedules a pause after a trace that was not read: if busy, until the next observation;
// if failed, for longer after each failure, and the next trace is shorter.
func (p *Process) noteEnding(e Ending, plan *Plan, at time.Time) {
	switch e {
	case Read:
		p.failures = 0
	case Busy:
		p.restUntil = at.Add(backOff(p.rules.Interval, 0, maxRest))
	case Failed:
		p.restUntil = at.Add(backOff(p.rules.Interval, p.failures, maxRest))
		p.failures++
		p.maxDuration = max(plan.Duration/2, p.rules.Duration)
	}
}

// updateReports adds the candidates that no other process reports, and removes expired reports.
func (p *Process) updateReports(at time.Time) {
	for _, c := range p.requests {
		if c.subject.learned.Traced > 0 && (c.subject.reporter == nil || c.subject.reporter == p) {
			p.report(c.subject, at)
		}
	}
	for s, until := range p.reported {
		if s.reporter != p || at.After(until) {
			delete(p.reported, s)
			if s.reporter == p {
				s.reporter = nil
			}
		}
	}
}

// report makes the process the only one that reports a subject.
func (p *Process) report(s *subject, at time.Time) {
	if p.reported == nil {
		p.reported = make(map[*subject]time.Time)
	}
	s.reporter, p.reported[s] = p, at.Add(reportFor)
	if len(p.reported) > maxReported {
		p.dropOldestReport()
	}
}

// dropOldestReport removes the report that would expire first.
func (p *Process) dropOldestReport() {
	var first *subject
	for s, until := range p.reported {
		if first == nil || until.Before(p.reported[first]) {
			first = s
		}
	}
	delete(p.reported, first)
	first.reporter = nil
}

// dropReports leaves the reports of the process to others.
func (p *Process) dropReports() {
	for s := range p.reported {
		if s.reporter == p {
			s.reporter = nil
		}
	}
	p.reported = nil
}

// Origins returns the origins that this process reports, in no particular order. A group of a service
// is reported by only one of its processes.
func (p *Process) Origins() []origin.Origin {
	p.scout.mu.Lock()
	defer p.scout.mu.Unlock()
	var all []origin.Origin
	for s := range p.reported {
		if s.reporter == p {
			all = append(all, s.learned.summary())
		}
	}
	return all
}
