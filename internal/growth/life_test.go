package growth

import (
	"math"
	"testing"
	"time"
)

const lifeBound = 10 * time.Minute

// lived returns the evidence of a process of the given minutes, with residents and a level given by
// aged.
func lived(minutes, residents int, aged func(minute int) int) *Evidence {
	rules := defaults()
	var e Evidence
	for minute := range minutes {
		level := float64(aged(minute))
		if minute >= 10 {
			level += float64(residents)
		}
		e.Observe(&rules, Observation{
			At: epoch.Add(time.Duration(minute) * time.Minute), Start: epoch, First: epoch, FirstCount: float64(residents),
			Bound: lifeBound, Census: true, Count: level + 5, Aged: level,
		})
	}
	return &e
}

func near1(got, want, by float64) bool { return math.Abs(got-want) <= by }

// In the life of a steady leak the mean arrival is in the middle, residents are not arrivals, and
// arrivals stay to the end.
func TestLifeOfALeak(t *testing.T) {
	rules := defaults()
	for _, residents := range []int{0, 500} {
		e := lived(250, residents, func(minute int) int { return max(0, minute-10) / 2 })
		l := e.Life(&rules, lifeBound, false)
		if l.Lives != 1 || !near1(l.Arrivals, 120, 5) || !near1(l.Watched, 4, 0.2) || !near1(l.Hours, 240, 15) ||
			!near1(l.Deviation, 0, 10) || !near1(l.Variance, 120*16.0/12, 20) || !near1(l.ArrivalHours, 480, 40) || l.Exits != 0 {
			t.Errorf("beside %d residents: %+v", residents, l)
		}
	}
}

// Arrivals in a pool are early, and those held by a peer count from later on.
func TestLifeOfAPool(t *testing.T) {
	rules := defaults()
	e := lived(300, 0, func(minute int) int { return int(100 * (1 - math.Exp(-float64(max(0, minute-10))/60))) })
	l := e.Life(&rules, lifeBound, false)
	if l.Deviation > -5*math.Sqrt(l.Variance) {
		t.Errorf("%+v", l)
	}
	if held := e.Life(&rules, lifeBound, true); held.Arrivals > l.Arrivals/4 {
		t.Errorf("held by a peer: %+v", held)
	}
}

// OneStep gives the same life as an Evidence if all arrivals were at one time.
func TestOneStep(t *testing.T) {
	rules := defaults()
	e := lived(250, 0, func(minute int) int {
		if minute < 100 {
			return 0
		}
		return 8
	})
	at := func(minute int) time.Time { return epoch.Add(time.Duration(minute) * time.Minute) }
	got, want := OneStep(8, 0, at(10), at(100), at(249)), e.Life(&rules, lifeBound, false)
	if got.Lives != want.Lives || got.Arrivals != want.Arrivals || !near1(got.Hours, want.Hours, 2) ||
		!near1(got.Deviation, want.Deviation, 2) || !near1(got.Variance, want.Variance, 1) || !near1(got.Watched, want.Watched, 0.2) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if nobody := OneStep(0, 3, at(10), at(10), at(100)); nobody.Lives != 0 || nobody.Exits != 3 {
		t.Errorf("%+v", nobody)
	}
	if wrong := OneStep(5, 0, at(10), at(5), at(100)); wrong != (Life{}) {
		t.Errorf("arrived before it was watched: %+v", wrong)
	}
}

// The verdict of the first observation of a new process has the life of the former one.
func TestTheLifeThatIsOverIsTold(t *testing.T) {
	rules := defaults()
	e := lived(250, 0, func(minute int) int { return max(0, minute-10) / 2 })
	want := e.Life(&rules, lifeBound, false)
	again := Observation{At: epoch.Add(251 * time.Minute), Start: epoch.Add(250 * time.Minute), Bound: lifeBound, Census: true, Count: 3}
	v := e.Observe(&rules, again)
	if v.Former == nil || *v.Former != want {
		t.Errorf("former %+v, want %+v", v.Former, want)
	}
	if l := e.Life(&rules, lifeBound, false); l.Arrivals != 0 {
		t.Errorf("the next: %+v", l)
	}
	again.At = again.At.Add(time.Minute)
	if v := e.Observe(&rules, again); v.Former != nil {
		t.Errorf("told again: %+v", v.Former)
	}
}

func TestLivesTogether(t *testing.T) {
	rules := defaults()
	// life returns a life of four hours whose arrivals are late by some standard deviations.
	life := func(arrivals, late float64) Life {
		variance := arrivals * 16 / 12
		return Life{
			Lives: 1, Arrivals: arrivals, Hours: 2 * arrivals, Watched: 4, ArrivalHours: 4 * arrivals,
			Deviation: late * math.Sqrt(variance), Variance: variance,
		}
	}
	exits := life(4, 0)
	exits.Exits = 2
	short := life(40, 0)
	short.ArrivalHours, short.Watched = 40, 1
	for name, tc := range map[string]struct {
		life  Life
		lives int
		leaks bool
	}{
		"one an hour":                       {life(4, 0), 12, true},
		"for too short":                     {life(4, 0), 8, false},
		"two lives":                         {life(30, 0), 2, false},
		"others leave":                      {exits, 30, false},
		"few, each of them a little early":  {life(4, -0.5), 12, true},
		"few, each of them early":           {life(4, -1), 12, false},
		"many, as far as can be told":       {life(40, 0), 5, false},
		"many":                              {life(40, 0), 12, true},
		"many, each of them a little early": {life(40, -0.4), 12, false},
		"in lives of an hour":               {short, 40, false},
		"too few in all":                    {Life{Lives: 1, Arrivals: 1, Hours: 200, Watched: 400, ArrivalHours: 400, Variance: 1}, 9, false},
	} {
		var all Life
		for range tc.lives {
			all = all.Plus(tc.life)
		}
		if got := all.Outlives(&rules) && all.KeepsPace(&rules); got != tc.leaks {
			t.Errorf("%s: %t, %+v", name, got, all)
		}
	}
}

// Growth from the start of the process is not flagged if it slows down in all instances.
func TestReplicasAcquit(t *testing.T) {
	rules := defaults()
	flagged := func(service *Life) bool {
		var e Evidence
		for minute := range 300 {
			aged := float64(max(0, minute-10))
			v := e.Observe(&rules, Observation{
				At: epoch.Add(time.Duration(minute) * time.Minute), Start: epoch, First: epoch,
				Bound: lifeBound, Census: true, Count: aged + 10, Aged: aged, Service: service,
			})
			if v.Severity >= Probable {
				return true
			}
		}
		return false
	}
	filling := Life{Lives: 10, Arrivals: 1000, ArrivalHours: 4000, Deviation: -200, Variance: 1300}
	steady := filling
	steady.Deviation = 0
	if !flagged(nil) || !flagged(&steady) {
		t.Error("a leak is not flagged")
	}
	if flagged(&filling) {
		t.Error("what fills in all instances is flagged in one")
	}
}
