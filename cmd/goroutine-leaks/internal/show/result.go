package show

import (
	"fmt"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/target"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/watch"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// Outcome is what a check comes to.
type Outcome string

// The outcomes.
const (
	Clean     Outcome = "clean"
	Leak      Outcome = "leak"
	NotLooked Outcome = "could not look"
	NotEnough Outcome = "not enough evidence"
)

// Result is what came of a check.
type Result struct {
	*Report
	Outcome Outcome
	// FailOn is the least severity that is a leak.
	FailOn string
	// Leaks are the findings that are severe enough, and Doubts why it is not known whether
	// there are any, by target.
	Leaks  []finding.Finding
	Doubts map[string]string
}

// enough is which part of the time a process must have been watched for.
const enough = 0.9

// NewResult decides what a check comes to that was to last for so long.
func NewResult(r *Report, failOn string, watch time.Duration) *Result {
	result := &Result{Report: r, FailOn: failOn, Doubts: make(map[string]string)}
	for _, f := range open(r.Findings) {
		if f.Severity >= severityOf(failOn) {
			result.Leaks = append(result.Leaks, f)
		}
	}
	lost := false
	for _, t := range r.Targets {
		if !t.Reached {
			lost = true
		} else if doubt := result.doubt(t, failOn, watch); doubt != "" {
			result.Doubts[t.Name] = doubt
		}
	}
	switch {
	case len(result.Leaks) > 0:
		result.Outcome = Leak
	case lost:
		result.Outcome = NotLooked
	case len(result.Doubts) > 0:
		result.Outcome = NotEnough
	default:
		result.Outcome = Clean
	}
	return result
}

func severityOf(name string) finding.Severity {
	for _, s := range []finding.Severity{finding.Suspected, finding.Probable, finding.Confirmed} {
		if s.String() == name {
			return s
		}
	}
	return finding.Confirmed
}

// doubt returns why nothing can be said of a target, empty if that a leak was not found means
// something.
func (r *Result) doubt(t watch.Target, failOn string, planned time.Duration) string {
	if t.Watched < time.Duration(enough*float64(planned)) {
		return fmt.Sprintf("it was watched for %s of %s", judge.Span(t.Watched.Round(time.Second)), judge.Span(planned))
	}
	if failOn != finding.Confirmed.String() {
		for _, f := range open(r.Findings) {
			if f.Service.Name == t.Service && f.Severity < severityOf(failOn) && t.From == target.Trace {
				return fmt.Sprintf("a leak is suspected of goroutines %s: %s", f.Head, r.whySuspected(&f))
			}
		}
		for _, row := range Undecided(r.Rows) {
			if row.Target == t.Name {
				return fmt.Sprintf("%s grew by %d goroutines, none of the old ones has left, but more came at first: a leak, or a pool that fills; a longer look tells",
					line(row.File, row.Line), row.Grown)
			}
		}
	}
	if t.From == target.Trace || failOn == finding.Suspected.String() {
		return ""
	}
	for _, f := range open(r.Findings) {
		if f.Service.Name == t.Service {
			return "without an execution trace a leak can be suspected at most, and one is"
		}
	}
	return ""
}

// String tells the outcome in a line.
func (r *Result) String() string {
	switch r.Outcome {
	case Leak:
		return "check: " + count(len(r.Leaks), "leak")
	case NotEnough, NotLooked:
		var doubts []string
		for _, t := range r.Targets {
			if doubt := r.Doubts[t.Name]; doubt != "" {
				doubts = append(doubts, t.Name+": "+doubt)
			} else if !t.Reached {
				doubts = append(doubts, t.Name+" never answered: "+t.Error)
			}
		}
		return "check: " + string(r.Outcome) + ": " + strings.Join(doubts, "; ")
	}
	if found := open(r.Findings); len(found) > 0 {
		return fmt.Sprintf("check: clean, since none of what was found is %s: %s", r.FailOn, count(len(found), "leak"))
	}
	return "check: clean"
}
