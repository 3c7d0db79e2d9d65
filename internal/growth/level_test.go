package growth

import (
	"testing"
	"time"
)

// Residents become aged all at once. A steady leak beside them is found and stays flagged.
func TestLeakBesideResidents(t *testing.T) {
	rules := defaults()
	for _, tc := range []struct {
		residents int
		perHour   float64
	}{{20, 6}, {1000, 60}, {1500, 60}, {1500, 3600}, {10_000, 12}} {
		for seed := range uint64(5) {
			w := plain()
			w.seed, w.initial, w.births, w.length = seed, tc.residents, steady(tc.perHour), 72*time.Hour
			var e Evidence
			found := time.Duration(0)
			w.run(func(o Observation) bool {
				o.Bound = w.agedAfter
				v := e.Observe(&rules, o)
				switch at := o.At.Sub(epoch); {
				case v.Severity >= Probable && found == 0:
					found = at
				case v.Severity < Probable && found > 0:
					t.Errorf("%+v: found after %v, and over after %v: %v", tc, found, at, v.Ended)
					return false
				}
				return true
			})
			if found == 0 || found > 12*time.Hour {
				t.Errorf("%+v, seed %d: found after %v", tc, seed, found)
			}
		}
	}
}

// The Evidence of a level that was empty is created late, and gets the residents by First and
// FirstCount.
func TestLevelThatIsMadeLate(t *testing.T) {
	const bound = 80 * time.Minute
	rules := defaults()
	flaggedAt := func(residents, perHour int) time.Duration {
		var e Evidence
		for minute := range 24 * 60 {
			at := time.Duration(minute) * time.Minute
			if at < bound {
				continue
			}
			aged := float64(residents + perHour*(minute-80)/60)
			v := e.Observe(&rules, Observation{
				At: epoch.Add(at), Start: epoch, First: epoch, FirstCount: float64(residents),
				Process: epoch, Bound: bound, Census: true, Count: aged + 100, Aged: aged,
			})
			if v.Severity == Probable {
				return at
			}
		}
		return 0
	}
	if at := flaggedAt(500, 0); at != 0 {
		t.Errorf("residents are flagged after %v", at)
	}
	if at := flaggedAt(500, 60); at < 2*time.Hour || at > 4*time.Hour {
		t.Errorf("a leak of one a minute beside 500 residents is flagged after %v", at)
	}
}

// Connections that reconnect evenly within an hour of the start are not flagged while they wait for
// their peers; the same growth in another state is.
func TestHeldByPeer(t *testing.T) {
	rules := defaults()
	for _, held := range []bool{false, true} {
		w := plain()
		w.length = 12 * time.Hour
		w.births = func(t time.Duration) float64 {
			if t < time.Hour {
				return 4000
			}
			return 0
		}
		var e Evidence
		flagged := false
		w.run(func(o Observation) bool {
			o.Bound, o.HeldByPeer = w.agedAfter, held
			flagged = flagged || e.Observe(&rules, o).Severity > None
			return true
		})
		if flagged == held {
			t.Errorf("held by a peer: %v, flagged: %v", held, flagged)
		}
	}
}

// Only the lowest level can quickly detect another process; the upper levels follow it.
func TestUpperLevelFollowsTheLowest(t *testing.T) {
	const bound = 320 * time.Minute
	rules := defaults()
	observe := func(e *Evidence, minute int, start, process time.Time, aged float64) Verdict {
		return e.Observe(&rules, Observation{
			At: epoch.Add(time.Duration(minute) * time.Minute), Start: start, First: start, Process: process,
			Bound: bound, Census: true, Count: 500, Aged: aged,
		})
	}
	flagged := func() *Evidence {
		var e Evidence
		var v Verdict
		for minute := 320; minute < 620; minute++ {
			v = observe(&e, minute, epoch, epoch, float64(minute-320))
		}
		if v.Severity != Probable {
			t.Fatalf("before: %+v", v)
		}
		return &e
	}
	restart := epoch.Add(620 * time.Minute)

	same := flagged()
	for minute := 620; minute < 940; minute++ {
		if v := observe(same, minute, restart, epoch, 0); v.Severity != Probable {
			t.Fatalf("the watcher is new, minute %d: %+v", minute, v)
		}
	}
	other := flagged()
	if v := observe(other, 620, restart, epoch, 0); v.Severity != Probable {
		t.Errorf("as long as the lowest level does not know: %+v", v)
	}
	if v := observe(other, 640, restart, restart, 0); v.Severity != None || v.Ended != ProcessGone {
		t.Errorf("the process is new: %+v", v)
	}
}

// A verdict says when the growth began, and why a flag ended.
func TestVerdictTellsSinceAndWhyItEnded(t *testing.T) {
	rules := defaults()
	var e Evidence
	for minute := range 600 {
		v := e.Observe(&rules, leakOfOneAMinute(minute))
		if v.Ended != NotEnded {
			t.Errorf("minute %d: ended %v", minute, v.Ended)
		}
		if since := v.Since.Sub(epoch); v.Severity == Probable && (since < 0 || since > 40*time.Minute) {
			t.Errorf("minute %d: it began after %v", minute, since)
		}
	}
	left, slowed := e, e
	o := leakOfOneAMinute(600)
	o.Count, o.Aged, o.Exits = 40, 40, 550
	if v := left.Observe(&rules, o); v.Severity != None || v.Ended != Left {
		t.Errorf("most have left: %+v", v)
	}
	var v Verdict
	minute := 600
	for ; v.Ended == NotEnded && minute < 5*24*60; minute++ {
		o := leakOfOneAMinute(600)
		o.At = epoch.Add(time.Duration(minute) * time.Minute)
		v = slowed.Observe(&rules, o)
	}
	// The flag ends a day after the growth is last visible over its longest horizon.
	if after := time.Duration(minute-600) * time.Minute; v.Ended != Slowed || after < Held || after > Held+8*time.Hour {
		t.Errorf("nobody comes any more: %+v after %v", v, after)
	}
}
