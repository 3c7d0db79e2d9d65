package leakdetect

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

const confirmed = 3

// stuckGroup returns a group of forty goroutines, of which a leak profile contains this number.
func stuckGroup(leaked int) group {
	g := steady("app.stuck", "app.main", 40)
	g.leaked = leaked
	return g
}

func TestConfirmedByTwoConsecutiveProfiles(t *testing.T) {
	const absent = -1 // no leak profile at that time
	for name, tc := range map[string]struct {
		leaked, severities []int
	}{
		"a leak":                  {[]int{0, 3, 3, 3}, []int{0, 0, 3, 3}},
		"one goroutine":           {[]int{1, 1, 1}, []int{0, 3, 3}},
		"in one profile":          {[]int{0, 3, 0, 0, 3, 0}, []int{0, 0, 0, 0, 0, 0}},
		"in every other profile":  {[]int{1, 0, 1, 0, 1}, []int{0, 0, 0, 0, 0}},
		"missing in one profile":  {[]int{3, 3, 2, 0, 3, 4, 3}, []int{0, 3, 3, 3, 3, 3, 3}},
		"missing in two profiles": {[]int{3, 3, 0, 0, 3, 3}, []int{0, 3, 3, 0, 0, 3}},
		"absent profiles":         {[]int{3, absent, absent, 3, absent, absent, absent}, []int{0, 0, 0, 3, 3, 3, 3}},
		"no profiles":             {[]int{absent, absent, absent}, []int{0, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, flat := range []bool{false, true} {
				r := newRig(t)
				s := newFakeProcess("shop")
				s.flat = flat
				s.start = epoch.Add(-time.Hour)
				r.warm(s, stuckGroup(0), steady("app.other", "app.main", 40))
				for i, leaked := range tc.leaked {
					at := epoch.Add(time.Duration(i) * 10 * time.Minute)
					md, metrics := s.batch()
					s.stacks(metrics, at, true, stuckGroup(leaked), steady("app.other", "app.main", 40))
					if leaked != absent {
						s.leaks(metrics, at, stuckGroup(leaked))
					}
					found := r.consume(md)
					f, _ := found.find("app.stuck", "severity")
					assert.Equal(t, tc.severities[i], int(f.value), "profile %d", i+1)
					_, other := found.find("app.other", "severity")
					assert.False(t, other)
				}
				r.assertBad(map[detect.Reason]int64{})
			}
		})
	}
}

func TestCountAndGrowthRateOfProof(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	var found flags
	for i := range 4 {
		at := epoch.Add(time.Duration(i) * 10 * time.Minute)
		md, metrics := s.batch()
		s.leaks(metrics, at, stuckGroup(3+i))
		s.stacks(metrics, at, true, stuckGroup(0))
		found = r.consume(md)
	}
	count, _ := found.find("app.stuck", "count")
	assert.Equal(t, 6, int(count.value))
	rate, _ := found.find("app.stuck", "growth_rate")
	assert.InDelta(t, 6, rate.value, 1e-9, "three in half an hour")
}

// TestProofOfGrowingLeak checks that a leak that is both proved and growing has the larger count.
func TestProofOfGrowingLeak(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	var found flags
	for after := time.Minute; after <= 4*time.Hour; after += time.Minute {
		at := epoch.Add(after)
		g := leaking("app.stuck", "app.main", at, 1)
		g.leaked = g.count / 2
		md, metrics := s.batch()
		s.stacks(metrics, at, true, g)
		s.leaks(metrics, at, g)
		found = r.consume(md)
	}
	f, _ := found.find("app.stuck", "severity")
	assert.Equal(t, confirmed, int(f.value))
	count, _ := found.find("app.stuck", "count")
	assert.InDelta(t, 230, count.value, 1)
	rate, _ := found.find("app.stuck", "growth_rate")
	assert.InDelta(t, 60, rate.value, 6)
}

func TestProofEndsWithTheProcessAndTheGroup(t *testing.T) {
	for name, then := range map[string]func(s *fakeProcess, at time.Time) group{
		"another process": func(s *fakeProcess, at time.Time) group {
			s.start = at
			return stuckGroup(0)
		},
		"empty group": func(*fakeProcess, time.Time) group {
			return group{signature: "sig-app.stuck", function: "app.stuck", entry: "app.main"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			s := newFakeProcess("shop")
			severity := func(i int, g group, withProfile bool) int {
				at := epoch.Add(time.Duration(i) * 10 * time.Minute)
				md, metrics := s.batch()
				s.stacks(metrics, at, true, g)
				if withProfile {
					s.leaks(metrics, at, g)
				}
				f, _ := r.consume(md).find("app.stuck", "severity")
				return int(f.value)
			}
			for i := range 3 {
				severity(i, stuckGroup(3), true)
			}
			assert.Equal(t, confirmed, severity(3, stuckGroup(0), false))
			assert.Zero(t, severity(4, then(&s, epoch.Add(40*time.Minute)), false))
			assert.Zero(t, severity(5, stuckGroup(0), false))
		})
	}
}

// TestProofWithoutCount checks a proof whose count is filtered out or in another batch.
func TestProofWithoutCount(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	var values []int
	for i := range 4 {
		md, metrics := s.batch()
		s.leaks(metrics, epoch.Add(time.Duration(i)*10*time.Minute), stuckGroup(3))
		f, _ := r.consume(md).find("app.stuck", "severity")
		values = append(values, int(f.value))
	}
	assert.Equal(t, []int{0, 0, confirmed, confirmed}, values, "one observation later, since a count may follow")
	r.assertBad(map[detect.Reason]int64{})
}

func TestProofSplitOverBatches(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	var last flags
	for i := range 4 {
		at := epoch.Add(time.Duration(i) * 10 * time.Minute)
		whole, metrics := s.batch()
		s.leaks(metrics, at, stuckGroup(3))
		s.stacks(metrics, at, true, stuckGroup(3))
		leaked, rest := splitByName(whole, telemetry.StackLeakedCount)
		for _, md := range []pmetric.Metrics{rest, leaked} {
			if found := r.consume(md); len(found) > 0 {
				last = found
			}
		}
	}
	f, _ := last.find("app.stuck", "severity")
	assert.Equal(t, confirmed, int(f.value))
}

// TestProofAfterCorrectedClock checks that profiles count after a clock that was years ahead is
// corrected.
func TestProofAfterCorrectedClock(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	severities := make([]int, 8)
	for i := range 9 { // the last one emits the verdict of the previous one
		at := epoch.Add(time.Duration(i) * 10 * time.Minute)
		if i < 3 {
			at = at.AddDate(3, 0, 0)
		}
		md, metrics := s.batch()
		s.stacks(metrics, at, true, stuckGroup(3))
		s.leaks(metrics, at, stuckGroup(3))
		for _, f := range r.consume(md) {
			for i := range severities {
				ahead := f.at.AddDate(-3, 0, 0)
				if at := epoch.Add(time.Duration(i) * 10 * time.Minute); f.metric == telemetry.LeakSeverity && (f.at.Equal(at) || i < 3 && ahead.Equal(at)) {
					severities[i] = int(f.value)
				}
			}
		}
	}
	assert.Equal(t, []int{0, 3, 3, 0, 3, 3, 3, 3}, severities, "the first correct timestamp is not accepted yet")
}
