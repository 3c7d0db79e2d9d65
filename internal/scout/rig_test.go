package scout

import (
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// began is the time of the first observation.
var began = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// rules are the default rules.
var rules = Rules{Interval: time.Minute, Duration: DefaultDuration, Budget: DefaultBudget}

// simulated is a process with one growing group, observed once a minute.
type simulated struct {
	*Process
	service string
	group   stack.Signature
	start   time.Time
	at      time.Time
	// arrivals goroutines become aged, and leaving exit, at each observation.
	arrivals, leaving int
	aged              int
	exits             int64
	goroutines        int
	births            int64 // a minute
	created           int64
	restarted         bool
}

func (s *Scout) simulate(service string, id stack.ID) *simulated {
	return &simulated{
		Process: s.Watch(rules), service: service, at: began, start: began, arrivals: 2, goroutines: 1000, births: 600,
		group: stack.Signature{ID: id, State: stack.StateChanSend, Blamed: stack.Frame{Function: "main.leak", Line: 7}},
	}
}

// look advances the time by a minute and observes the process.
func (p *simulated) look() {
	p.at = p.at.Add(rules.Interval)
	p.aged += p.arrivals - p.leaving
	p.exits += int64(p.leaving)
	p.created += p.births
	r := census.Report{
		Start: p.start, Restarted: p.restarted, Count: p.goroutines, Complete: true, Creations: p.created, Bounds: census.Bounds(10 * time.Minute),
		Groups: []census.Group{{Signature: p.group, Numbers: census.Numbers{Count: p.aged, Bands: [census.Bands]census.Band{{Aged: p.aged, Exits: p.exits}}}}},
	}
	p.Observe(p.service, &r, p.at)
	p.restarted = false
}

// restart replaces the process before the next observation.
func (p *simulated) restart() {
	p.restarted, p.start, p.aged, p.exits, p.created = true, p.at.Add(rules.Interval), 0, 0, 0
}

// next observes until there is a plan, at most the given number of times.
func (p *simulated) next(looks int) *Plan {
	for range looks {
		p.look()
		if plan, due := p.Next(p.at); due {
			return plan
		}
	}
	return nil
}

// mustNext fails the test if there is no plan.
func (p *simulated) mustNext(t *testing.T, looks int) *Plan {
	t.Helper()
	plan := p.next(looks)
	if plan == nil {
		t.Fatalf("no trace within %d looks", looks)
	}
	return plan
}

// result returns the result of a small trace with the same origin for each subject of a plan.
func result(plan *Plan, caught origin.Caught, creators ...origin.Creator) Result {
	r := Result{Size: 100_000, Reading: time.Millisecond}
	for _, s := range append(plan.Subjects.Groups, plan.Subjects.Entries...) {
		o := origin.Origin{Signature: s.Signature, Caught: caught, Creators: creators, Births: 10, Traced: plan.Duration, Class: mistake.AnswerNotTaken}
		r.Origins = append(r.Origins, o)
	}
	return r
}

// by returns a creator that started a number of goroutines.
func by(function string, count int) origin.Creator {
	statement := stack.Frame{Function: function, File: "main.go", Line: 3}
	return origin.Creator{Launch: exectrace.ByGo, Stack: []stack.Frame{statement}, Own: statement, Count: count}
}

const (
	hour = 60 // looks
	week = 7 * 24 * hour
)
