package show

import (
	"fmt"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
)

// atWork tells how many of its goroutines are at work of a finding that is merely suspected for it; it
// is empty of any other.
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
		if served, of := judge.Served(place, origins); judge.AtWork(served, of) {
			return fmt.Sprintf("%d of %d were woken by others within %s, and came back", served, of, judge.Span(traced.Round(100*time.Millisecond)))
		}
	}
	return ""
}

// certainty tells how sure a finding is, after all was looked at, and what would make it surer.
func (r *Report) certainty(f *finding.Finding) string {
	if r.atWork(f) != "" {
		return "suspected: " + r.whySuspected(f)
	}
	return Certainty(f, r.Thresholds, r.At)
}

// whySuspected tells why a finding is merely suspected, and what to do.
func (r *Report) whySuspected(f *finding.Finding) string {
	if served := r.atWork(f); served != "" {
		return "they are at work, " + served + ". Clients that came and stay look so, and so does a leak that still gets work; look while the load is steady"
	}
	return "some have left, or fewer come than at first; a longer look tells"
}
