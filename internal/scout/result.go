package scout

import (
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/origin"
)

// Ending is how a trace came out.
type Ending uint8

const (
	// Read means that it was read to its end, or until everything was known.
	Read Ending = iota
	// Busy means that somebody else traces the process, which is soon over.
	Busy
	// Failed means that it could not be had, or not as a whole.
	Failed
)

// Result is what came of a trace.
type Result struct {
	Ending Ending
	// Origins are what it says, in the order of Plan.Subjects, also as far as it was read
	// before it failed; nil if nothing was read.
	Origins []origin.Origin
	// Size is how many bytes were read, and Reading the CPU time that it took.
	Size    int
	Reading time.Duration
}

// Return takes the result of the trace that Next has planned, and returns the origins of which
// something new was learned. It does nothing if the process is another one meanwhile: its
// traces say nothing of the one that was asked for.
func (p *Process) Return(r Result, at time.Time) (news []origin.Origin) {
	p.scout.mu.Lock()
	defer p.scout.mu.Unlock()
	if p.plan == nil {
		return nil
	}
	plan := p.plan
	p.release()
	p.purse.pay(plan.cost(r))
	p.note(r.Ending, plan, at)
	if len(r.Origins) != len(plan.of) {
		return nil
	}
	for i, of := range plan.of {
		of.traced(p.rules, plan.perHour[i], at)
		if of.learned.add(r.Origins[i]) {
			news = append(news, of.learned.told())
		}
		p.tell(of, at)
	}
	return news
}

// note has the process left in peace for a while after a trace that was not read: the next
// look may be free again, whereas one who cannot give a trace is asked ever more rarely, and
// for a shorter one.
func (p *Process) note(e Ending, plan *Plan, at time.Time) {
	switch e {
	case Read:
		p.failures = 0
	case Busy:
		p.rest = at.Add(backOff(p.rules.Interval, 0, mostRest))
	case Failed:
		p.rest = at.Add(backOff(p.rules.Interval, p.failures, mostRest))
		p.failures++
		p.most = max(plan.Duration/2, p.rules.Duration)
	}
}

// noteTold takes over what nobody tells of its candidates, and ends what need not be told any
// more.
func (p *Process) noteTold(at time.Time) {
	for _, w := range p.wants {
		if w.of.learned.Traced > 0 && (w.of.teller == nil || w.of.teller == p) {
			p.tell(w.of, at)
		}
	}
	for of, until := range p.tells {
		if of.teller != p || at.After(until) {
			delete(p.tells, of)
			if of.teller == p {
				of.teller = nil
			}
		}
	}
}

// tell has the process tell of a subject, and nobody else.
func (p *Process) tell(of *subject, at time.Time) {
	if p.tells == nil {
		p.tells = make(map[*subject]time.Time)
	}
	of.teller, p.tells[of] = p, at.Add(telling)
	if len(p.tells) > maxTold {
		p.tellOneLess()
	}
}

// tellOneLess ends telling what would end first.
func (p *Process) tellOneLess() {
	var first *subject
	for of, until := range p.tells {
		if first == nil || until.Before(p.tells[first]) {
			first = of
		}
	}
	delete(p.tells, first)
	first.teller = nil
}

// tellNothing leaves to others what the process tells.
func (p *Process) tellNothing() {
	for of := range p.tells {
		if of.teller == p {
			of.teller = nil
		}
	}
	p.tells = nil
}

// Told returns what is known of the origins of its groups, of those that no replica tells
// of. It is in no particular order.
func (p *Process) Told() []origin.Origin {
	p.scout.mu.Lock()
	defer p.scout.mu.Unlock()
	var all []origin.Origin
	for of := range p.tells {
		if of.teller == p {
			all = append(all, of.learned.told())
		}
	}
	return all
}
