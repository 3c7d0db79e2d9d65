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

// Outcome is the outcome of a check.
type Outcome string

// Outcomes.
const (
	Clean        Outcome = "clean"
	Leak         Outcome = "leak"
	Unreachable  Outcome = "unreachable"
	Insufficient Outcome = "not enough evidence"
)

// Result is the result of a check.
type Result struct {
	*Report
	Outcome Outcome
	// FailOn is the lowest severity that counts as a leak.
	FailOn string
	// Leaks are the findings that count as leaks.
	Leaks []finding.Finding
	// Doubts are the reasons why targets may have leaks that were not found, by target.
	Doubts map[string]string
}

// minWatched is the smallest share of the time that a process must have been watched.
const minWatched = 0.9

// NewResult returns the result of a check that was planned to take the given time.
func NewResult(r *Report, failOn string, planned time.Duration) *Result {
	result := &Result{Report: r, FailOn: failOn, Doubts: make(map[string]string)}
	for _, f := range openFindings(r.Findings) {
		if f.Severity >= severityOf(failOn) {
			result.Leaks = append(result.Leaks, f)
		}
	}
	unreachable := false
	for _, t := range r.Targets {
		if !t.Reached {
			unreachable = true
		} else if doubt := result.doubt(t, failOn, planned); doubt != "" {
			result.Doubts[t.Name] = doubt
		}
	}
	switch {
	case len(result.Leaks) > 0:
		result.Outcome = Leak
	case unreachable:
		result.Outcome = Unreachable
	case len(result.Doubts) > 0:
		result.Outcome = Insufficient
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

// doubt returns why a target may have a leak that was not found, empty if there is no reason.
func (r *Result) doubt(t watch.Target, failOn string, planned time.Duration) string {
	if t.Longest < time.Duration(minWatched*float64(planned)) {
		text := fmt.Sprintf("watched for only %s of %s", judge.FormatDuration(t.Longest.Round(time.Second)), judge.FormatDuration(planned))
		if t.Longest < t.Watched {
			text += " at a time, since it may have been replaced in between"
		}
		return text
	}
	if failOn != finding.Confirmed.String() {
		for _, f := range openFindings(r.Findings) {
			if f.Service.Name == t.Service && f.Severity < severityOf(failOn) && t.From == target.Trace {
				return fmt.Sprintf("suspected leak of goroutines %s: %s", f.Head, r.whySuspected(&f))
			}
		}
		for _, row := range Undecided(r.Rows) {
			if row.Target == t.Name {
				return fmt.Sprintf("%s grew by %d goroutines, no old one has left, but growth seems to slow: a leak, or a pool that fills; watch longer to decide",
					FileLine(row.File, row.Line), row.Grown)
			}
		}
	}
	if t.From == target.Trace || failOn == finding.Suspected.String() {
		return ""
	}
	for _, f := range openFindings(r.Findings) {
		if f.Service.Name == t.Service {
			return "a leak is suspected, and execution traces would be needed to decide"
		}
	}
	return ""
}

// String returns the outcome as one line.
func (r *Result) String() string {
	switch r.Outcome {
	case Leak:
		return "check: " + plural(len(r.Leaks), "leak")
	case Insufficient, Unreachable:
		var doubts []string
		for _, t := range r.Targets {
			if doubt := r.Doubts[t.Name]; doubt != "" {
				doubts = append(doubts, t.Name+": "+doubt)
			} else if !t.Reached {
				doubts = append(doubts, t.Name+": "+t.Error)
			}
		}
		return "check: " + string(r.Outcome) + ": " + strings.Join(doubts, "; ")
	}
	if found := openFindings(r.Findings); len(found) > 0 {
		return fmt.Sprintf("check: clean: found %s, but none %s", plural(len(found), "leak"), r.FailOn)
	}
	return "check: clean"
}
