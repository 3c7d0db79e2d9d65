package growth

import (
	"math"
	"testing"
	"time"
)

// leakOfOneAMinute returns the observation at a minute of a leak that began at the epoch.
func leakOfOneAMinute(minute int) Observation {
	return Observation{
		At: epoch.Add(time.Duration(minute) * time.Minute), Start: epoch, Bound: 10 * time.Minute,
		Count: float64(minute), Census: true, Aged: float64(max(0, minute-10)),
	}
}

// A single wrong timestamp costs one observation.
func TestWrongTimeStamp(t *testing.T) {
	for name, at := range map[string]time.Time{
		"a year ahead":           epoch.AddDate(1, 0, 0),
		"three days ahead":       epoch.AddDate(0, 0, 3),
		"a year ago":             epoch.AddDate(-1, 0, 0),
		"the largest number":     time.Unix(0, math.MaxInt64),
		"near the largest":       time.Unix(0, math.MaxInt64-int64(time.Second)),
		"beyond what a time has": time.Unix(math.MaxInt64/2, 0),
		"the smallest number":    time.Unix(0, math.MinInt64),
		"the zero time":          {},
	} {
		t.Run(name, func(t *testing.T) {
			rules := defaults()
			var e Evidence
			begin := time.Now()
			var v Verdict
			for minute := range 200 {
				o := leakOfOneAMinute(minute)
				if minute == 50 {
					o.At = at
				}
				v = e.Observe(&rules, o)
			}
			if v.Severity != Probable {
				t.Errorf("after it: %+v", v)
			}
			if took := time.Since(begin); took > time.Second {
				t.Errorf("it takes %v", took)
			}
		})
	}
}

// A wrong first timestamp, or a clock that is set, costs the evidence so far, but no more.
func TestClockThatIsSet(t *testing.T) {
	for name, tc := range map[string]struct {
		wrong int // observations at the beginning
		by    time.Duration
	}{
		"the first is a year ahead":     {1, 365 * 24 * time.Hour},
		"for an hour it is a year late": {60, -365 * 24 * time.Hour},
		"for an hour it is a year fast": {60, 365 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			rules := defaults()
			var e Evidence
			var v Verdict
			for minute := range 400 {
				o := leakOfOneAMinute(minute)
				if minute < tc.wrong {
					o.At, o.Start = o.At.Add(tc.by), o.Start.Add(tc.by)
				}
				v = e.Observe(&rules, o)
			}
			if v.Severity != Probable {
				t.Errorf("%+v", v)
			}
		})
	}
}

// A start time in the future is ignored.
func TestStartInTheFuture(t *testing.T) {
	rules := defaults()
	var e Evidence
	var v Verdict
	for minute := range 200 {
		o := leakOfOneAMinute(minute)
		if minute == 50 {
			o.Start = epoch.AddDate(1, 0, 0)
		}
		v = e.Observe(&rules, o)
	}
	if v.Severity != Probable {
		t.Errorf("%+v", v)
	}
	for minute := 200; minute < 205; minute++ {
		o := leakOfOneAMinute(minute)
		o.Start, o.Count, o.Aged = epoch.Add(200*time.Minute), 3, 0
		v = e.Observe(&rules, o)
		if want := map[bool]End{true: ProcessGone}[minute == 200]; v.Severity != None || v.Ended != want {
			t.Errorf("minute %d, a new process: %+v", minute, v)
		}
	}
}

func TestUnusableObservations(t *testing.T) {
	for name, change := range map[string]func(*Observation){
		"negative bound":  func(o *Observation) { o.Bound = -1 },
		"endless bound":   func(o *Observation) { o.Bound = math.MaxInt64 },
		"residents NaN":   func(o *Observation) { o.FirstCount = math.NaN() },
		"exits infinite":  func(o *Observation) { o.Exits = math.Inf(1) },
		"before the year": func(o *Observation) { o.At = time.Unix(-1, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			rules := defaults()
			var e Evidence
			o := leakOfOneAMinute(1)
			change(&o)
			e.Observe(&rules, o)
			if e != (Evidence{}) {
				t.Errorf("it was taken: %+v", e)
			}
		})
	}
}
