package page

import (
	"slices"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/page/pagetest"
)

func TestFirstStepsGainTime(t *testing.T) {
	now := pagetest.Start
	limit := finding.Limit{Kind: "goroutines", In: 5 * time.Hour}
	for name, tc := range map[string]struct {
		began time.Duration // before now
		limit finding.Limit
		want  []string
	}{
		"no limit":                  {time.Hour, finding.Limit{}, []string{"If it cannot wait, a restart gains about 1 h."}},
		"limit":                     {time.Hour, limit, []string{"limit of goroutines in 5 h.", "If it cannot wait, a restart gains about 1 h."}},
		"limit, began a second ago": {time.Second, limit, []string{"limit of goroutines in 5 h."}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &renderer{site: &Site{At: now}, options: Options{}.orDefaults()}
			f := &Finding{Finding: finding.Finding{Status: finding.Open, Began: now.Add(-tc.began), Limit: tc.limit}}
			if got := r.firstSteps(f, &guide{}); !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
