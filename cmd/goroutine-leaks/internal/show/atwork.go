package show

import (
	"fmt"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
)

// atWork returns how many goroutines of a suspected finding are at work; empty if they are not.
func (r *Report) atWork(f *finding.Finding) string {
	if f.Severity != finding.Suspected {
		return ""
	}
	var origins []origin.Origin
	var traced time.Duration
	for _, o := range r.Origins {
		origins, traced = append(origins, o.Origin), max(traced, o.Traced)
	}
	for _, place := range append([]finding.Place{f.Head}, f.Places...) {
		if served, total := judge.Served(place, origins); judge.IsAtWork(served, total) {
			return fmt.Sprintf("in %s, %d of %d were woken by others", judge.FormatDuration(traced.Round(100*time.Millisecond)), served, total)
		}
	}
	return ""
}

// certainty describes how certain a finding is at the end of a watch.
func (r *Report) certainty(f *finding.Finding) string {
	if r.atWork(f) != "" {
		return "suspected: " + r.whySuspected(f)
	}
	return Certainty(f, r.Thresholds, r.At)
}

// whySuspected describes why a finding is only suspected, and what to do.
func (r *Report) whySuspected(f *finding.Finding) string {
	if served := r.atWork(f); served != "" {
		return "they are at work (" + served + "), like clients that have connected and stay, or a leak that still receives work; watch under steady load to decide"
	}
	return whyNotProbable(f) + "; watch longer to decide"
}
