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
	// Busy means that somebody else traces the process, which is temporary.
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

// Return adds the result of the trace that Next has planned, and returns the origins that have
// changed. It ignores the result if the process was replaced in the meantime.
func (p *Process) Return(r Result, at time.Time) (news []origin.Origin) {
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
	for i, of := range plan.subjects {
		of.traced(p.rules, plan.perHour[i], at)
		if of.learned.add(r.Origins[i]) {
			news = append(news, of.learned.summary())
		}
		p.report(of, at)
	}
	return news
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
	for _, w := range p.requests {
		if w.subject.learned.Traced > 0 && (w.subject.reporter == nil || w.subject.reporter == p) {
			p.report(w.subject, at)
		}
	}
	for of, until := range p.reported {
		if of.reporter != p || at.After(until) {
			delete(p.reported, of)
			if of.reporter == p {
				of.reporter = nil
			}
		}
	}
}

// report makes the process the only one that reports a subject.
func (p *Process) report(of *subject, at time.Time) {
	if p.reported == nil {
		p.reported = make(map[*subject]time.Time)
	}
	of.reporter, p.reported[of] = p, at.Add(reportFor)
	if len(p.reported) > maxReported {
		p.dropOldestReport()
	}
}

// dropOldestReport removes the report that would expire first.
func (p *Process) dropOldestReport() {
	var first *subject
	for of, until := range p.reported {
		if first == nil || until.Before(p.reported[first]) {
			first = of
		}
	}
	delete(p.reported, first)
	first.reporter = nil
}

// dropReports leaves the reports of the process to others.
func (p *Process) dropReports() {
	for of := range p.reported {
		if of.reporter == p {
			of.reporter = nil
		}
	}
	p.reported = nil
}

// Told returns the known origins of the process's groups that no replica reports, in no particular
// order.
func (p *Process) Told() []origin.Origin {
	p.scout.mu.Lock()
	defer p.scout.mu.Unlock()
	var all []origin.Origin
	for of := range p.reported {
		if of.reporter == p {
			all = append(all, of.learned.summary())
		}
	}
	return all
}
