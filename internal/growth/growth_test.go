package growth

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"
)

func defaults() Rules {
	return Rules{MinDuration: 30 * time.Minute, MinLeaked: 10, MaxLifetime: 12 * time.Hour}
}

func plain() world {
	return world{interval: time.Minute, agedAfter: 10 * time.Minute, length: 24 * time.Hour, lifetime: never}
}

// A leak is probable after t = sqrt(2 ln(1/alpha) L / r), at least MinDuration, plus agedAfter
// (docs/how-it-decides.md).
func TestLeakBecomesProbableInTime(t *testing.T) {
	for _, tc := range []struct {
		name        string
		perHour     float64
		maxLifetime time.Duration
	}{
		{"0.2 a minute, 12h", 12, 12 * time.Hour},
		{"1 a minute, 12h", 60, 12 * time.Hour},
		{"3 a minute, 12h", 180, 12 * time.Hour},
		{"60 a minute, 12h", 3600, 12 * time.Hour},
		{"0.2 a minute, 1h", 12, time.Hour},
		{"1 a minute, 1h", 60, time.Hour},
		{"3 a minute, 1h", 180, time.Hour},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rules := defaults()
			rules.MaxLifetime = tc.maxLifetime
			hours := math.Sqrt(2 * math.Log(1/probableAlpha) * tc.maxLifetime.Hours() / tc.perHour)
			needed := max(time.Duration(hours*float64(time.Hour)), rules.MinDuration) + 10*time.Minute
			var found []time.Duration
			for seed := range uint64(20) {
				w := plain()
				w.births, w.seed = steady(tc.perHour), seed
				at, ok := w.firstAt(rules, Probable, true)
				if !ok {
					t.Fatalf("seed %d: not found in %v", seed, w.length)
				}
				found = append(found, at)
			}
			m := median(found)
			t.Logf("median %v, formula %v", m, needed)
			if m > needed*13/10 || m < rules.MinDuration {
				t.Errorf("median %v, want at least %v and at most 1.3 times %v", m, rules.MinDuration, needed)
			}
		})
	}
}

func TestHealthyIsNotProbable(t *testing.T) {
	morning := func(perHour float64) func(time.Duration) float64 {
		return func(t time.Duration) float64 { return perHour * min(1, t.Hours()/3) }
	}
	for _, tc := range []struct {
		name string
		w    world
	}{
		{"flat", func() world { w := plain(); w.initial, w.births = 50, steady(0); return w }()},
		{"pool that warms up in 20 minutes", func() world {
			w := plain()
			w.births = func(t time.Duration) float64 {
				if t < 20*time.Minute {
					return 120
				}
				return 0
			}
			return w
		}()},
		{"step that stays", func() world {
			w := plain()
			w.initial = 20
			w.births = func(t time.Duration) float64 {
				if t == 5*time.Hour {
					return 60 * 60
				}
				return 0
			}
			return w
		}()},
		{"requests", func() world {
			w := plain()
			w.births, w.lifetime = steady(3600), memoryless(20*time.Second)
			return w
		}()},
		{"sessions of 30 minutes in a morning ramp", func() world {
			w := plain()
			w.births, w.lifetime = morning(300), memoryless(30*time.Minute)
			return w
		}()},
		{"sessions of 8 hours in a morning ramp", func() world {
			w := plain()
			w.births, w.lifetime = morning(300), memoryless(8*time.Hour)
			return w
		}()},
		{"sessions of 8 hours, few", func() world {
			w := plain()
			w.births, w.lifetime = morning(30), memoryless(8*time.Hour)
			return w
		}()},
		{"sessions of 8 hours by day", func() world {
			w := plain()
			w.length, w.births, w.lifetime = 4*24*time.Hour, officeHours, memoryless(8*time.Hour)
			return w
		}()},
		{"sessions of 8 hours by day, a new process each night", func() world {
			w := plain()
			w.length, w.births, w.lifetime = 4*24*time.Hour, officeHours, memoryless(8*time.Hour)
			w.restart = 24 * time.Hour
			return w
		}()},
		{"sessions of 2 hours by day, a new process each night", func() world {
			w := plain()
			w.length, w.births, w.lifetime = 4*24*time.Hour, officeHours, memoryless(2*time.Hour)
			w.restart = 24 * time.Hour
			return w
		}()},
		{"20,000 websockets that come and go", func() world {
			w := plain()
			w.initial, w.births, w.lifetime = 20_000, steady(2500), memoryless(8*time.Hour)
			return w
		}()},
		{"30 at once and never again", func() world {
			w := plain()
			w.births = func(t time.Duration) float64 {
				if t == 2*time.Hour {
					return 30 * 60
				}
				return 0
			}
			return w
		}()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for seed := range uint64(50) {
				tc.w.seed = seed
				if at, flagged := tc.w.firstAt(defaults(), Probable, true); flagged {
					t.Errorf("seed %d: probable after %v", seed, at)
				}
			}
		})
	}
}

// officeHours is 25 an hour by day and 3 at night.
func officeHours(t time.Duration) float64 {
	h := math.Mod(t.Hours(), 24)
	return 3 + 22*(min(1, max(0, (h-7)/3))-min(1, max(0, (h-17)/3)))
}

func TestCountsAlone(t *testing.T) {
	leak := plain()
	leak.births, leak.initial = steady(60), 40
	churn := plain()
	churn.births, churn.lifetime, churn.initial = steady(36000), memoryless(20*time.Second), 200
	daily := plain()
	daily.length = 4 * 24 * time.Hour
	daily.lifetime = memoryless(5 * time.Minute)
	daily.births = func(t time.Duration) float64 {
		return 3600 * (1 + 0.9*math.Sin(2*math.Pi*t.Hours()/24))
	}

	t.Run("a leak is suspected, and probable when it has outlived a day", func(t *testing.T) {
		leak := leak
		leak.length = 48 * time.Hour
		at, ok := leak.firstAt(defaults(), Suspected, false)
		if !ok || at < 12*time.Hour || at > 20*time.Hour {
			t.Errorf("suspected: %v after %v, want after max_lifetime and within 20h", ok, at)
		}
		at, ok = leak.firstAt(defaults(), Probable, false)
		if !ok || at < 36*time.Hour {
			t.Errorf("probable: %v after %v, want a day later", ok, at)
		}
		short := defaults()
		short.MaxLifetime = time.Hour
		at, ok = leak.firstAt(short, Suspected, false)
		if !ok || at > 80*time.Minute {
			t.Errorf("max_lifetime of an hour, suspected: %v after %v, want within 80m", ok, at)
		}
	})
	t.Run("growth that comes back after a restart is probable", func(t *testing.T) {
		leak := leak
		leak.initial, leak.restart, leak.length = 0, 8*time.Hour, 32*time.Hour
		at, ok := leak.firstAt(defaults(), Suspected, false)
		if !ok || at < 16*time.Hour || at > 18*time.Hour {
			t.Errorf("suspected: %v after %v, want in the third life", ok, at)
		}
		at, ok = leak.firstAt(defaults(), Probable, false)
		if !ok || at < 24*time.Hour || at > 26*time.Hour {
			t.Errorf("probable: %v after %v, want in the fourth", ok, at)
		}
	})
	t.Run("lives that end while load falls do not add up", func(t *testing.T) {
		deployed := daily
		deployed.restart = 4 * time.Hour
		if at, ok := deployed.firstAt(defaults(), Suspected, false); ok {
			t.Errorf("suspected after %v", at)
		}
	})
	t.Run("churn is not suspected", func(t *testing.T) {
		flagged := 0
		for seed := range uint64(50) {
			churn.seed = seed
			if _, ok := churn.firstAt(defaults(), Suspected, false); ok {
				flagged++
			}
		}
		if flagged > 2 {
			t.Errorf("%d of 50 flagged, want at most 2", flagged)
		}
	})
	t.Run("a daily swing is suspected at most on its first day", func(t *testing.T) {
		var e Evidence
		rules := defaults()
		daily.run(func(o Observation) bool {
			o.Census = false
			v := e.Observe(&rules, o)
			if since := o.At.Sub(epoch); v.Severity >= Probable || v.Severity == Suspected && since > 24*time.Hour {
				t.Errorf("severity %d after %v", v.Severity, since)
				return false
			}
			return true
		})
	})
}

// Sessions that all last a working day have no exit for hours. The first morning may be flagged, a
// later one must not.
func TestPopulationThatWasSeenToEmptyMustOutgrowItsPast(t *testing.T) {
	for seed := range uint64(20) {
		w := plain()
		w.seed, w.length = seed, 5*24*time.Hour
		w.births = func(t time.Duration) float64 {
			if h := math.Mod(t.Hours(), 24); h >= 8 && h < 10 {
				return 150
			}
			return 0
		}
		w.lifetime = func(r *rand.Rand, _ time.Duration) time.Duration {
			return 8*time.Hour + time.Duration(r.NormFloat64()*float64(10*time.Minute))
		}
		var e Evidence
		rules := defaults()
		w.run(func(o Observation) bool {
			v := e.Observe(&rules, o)
			if since := o.At.Sub(epoch); since > 24*time.Hour && v.Severity > None {
				t.Errorf("seed %d: severity %d after %v", seed, v.Severity, since)
				return false
			}
			return true
		})
	}
}

func TestVerdictTellsHowManyAndHowFast(t *testing.T) {
	w := plain()
	w.births, w.length = steady(180), 6*time.Hour
	var e Evidence
	rules := defaults()
	var v Verdict
	var aged float64
	w.run(func(o Observation) bool {
		v, aged = e.Observe(&rules, o), o.Aged
		return true
	})
	// The few goroutines at the first observation belong to the leak: the process was watched
	// before.
	if v.Severity != Probable || v.Leaked != aged || math.Abs(v.PerHour-180) > 36 {
		t.Errorf("got %+v, want probable, %v leaked, about 180 an hour", v, aged)
	}
}

// A command looks six times in the shortest horizon, and a busy machine delays looks.
func TestPaceOfLooksThatComeLate(t *testing.T) {
	const perSecond = 3.0
	rules := Rules{MinDuration: 3 * time.Second, MinLeaked: 10, MaxLifetime: 15 * time.Second}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		var e Evidence
		var v Verdict
		for at := time.Duration(0); at < 30*time.Second; at += 500*time.Millisecond + time.Duration(r.ExpFloat64()*float64(300*time.Millisecond)) {
			aged := math.Floor(max(0, at-2500*time.Millisecond).Seconds() * perSecond)
			v = e.Observe(&rules, Observation{
				At: epoch.Add(at), First: epoch, Bound: 2500 * time.Millisecond, Census: true, Count: aged + 7, Aged: aged,
			})
		}
		if v.Severity != Probable || math.Abs(v.PerHour/3600-perSecond) > 0.1*perSecond {
			t.Errorf("seed %d: severity %d, %.2f a second of %v", seed, v.Severity, v.PerHour/3600, perSecond)
		}
	}
}

func TestFlagEndsWhenTheLeakIsRepaired(t *testing.T) {
	w := plain()
	w.length = 12 * time.Hour
	w.births = func(t time.Duration) float64 {
		if t < 3*time.Hour {
			return 180
		}
		return 0
	}
	t.Run("drained", func(t *testing.T) {
		w := w
		w.lifetime = func(_ *rand.Rand, t time.Duration) time.Duration { return 4*time.Hour - t }
		if end := lastFlagged(w); end > 4*time.Hour+10*time.Minute {
			t.Errorf("flagged until %v, want until the goroutines had left", end)
		}
	})
	t.Run("still there, growing no more", func(t *testing.T) {
		// Growth over three hours shows over the horizon of four, until the last two
		// increments are flat, at most four segments of 48 minutes later, and is believed
		// for one more day.
		w := w
		w.length = 48 * time.Hour
		if end := lastFlagged(w); end < 4*time.Hour || end > 3*time.Hour+10*time.Minute+4*48*time.Minute+Held {
			t.Errorf("flagged until %v", end)
		}
	})
}

func lastFlagged(w world) time.Duration {
	var e Evidence
	rules := defaults()
	var end time.Duration
	w.run(func(o Observation) bool {
		if e.Observe(&rules, o).Severity > None {
			end = o.At.Sub(epoch)
		}
		return true
	})
	return end
}

func TestHoleInTheDataIsNeitherGrowthNorZero(t *testing.T) {
	var e Evidence
	rules := defaults()
	for i := range 600 {
		if i > 200 && i < 290 {
			continue
		}
		count := 100.0
		if i >= 290 {
			count = 160
		}
		v := e.Observe(&rules, Observation{At: epoch.Add(time.Duration(i) * time.Minute), Count: count})
		if v.Severity != None {
			t.Fatalf("minute %d: %+v", i, v)
		}
	}
}

func TestFallbackToCountsKeepsTheVerdict(t *testing.T) {
	w := plain()
	w.births = steady(180)
	var e Evidence
	rules := defaults()
	i := 0
	w.run(func(o Observation) bool {
		i++
		if o.At.Sub(epoch) > 3*time.Hour && i%10 < 5 {
			o.Census, o.Aged, o.Exits = false, 0, 0
		}
		v := e.Observe(&rules, o)
		if o.At.Sub(epoch) > 3*time.Hour && v.Severity != Probable {
			t.Errorf("after %v: %+v", o.At.Sub(epoch), v)
			return false
		}
		return true
	})
}

func TestBadObservationsArePassedOver(t *testing.T) {
	good := Observation{At: epoch.Add(time.Hour), Count: 5}
	for name, o := range map[string]Observation{
		"NaN":            {At: epoch.Add(2 * time.Hour), Count: math.NaN()},
		"infinite":       {At: epoch.Add(2 * time.Hour), Count: math.Inf(1)},
		"negative":       {At: epoch.Add(2 * time.Hour), Count: -1},
		"NaN aged":       {At: epoch.Add(2 * time.Hour), Census: true, Aged: math.NaN()},
		"negative exits": {At: epoch.Add(2 * time.Hour), Census: true, Exits: -1},
		"same time":      good,
		"earlier":        {At: epoch, Count: 7},
	} {
		t.Run(name, func(t *testing.T) {
			var e Evidence
			rules := defaults()
			e.Observe(&rules, good)
			before := e
			e.Observe(&rules, o)
			if e != before {
				t.Errorf("evidence changed")
			}
		})
	}
}

// Upper bounds of a Poisson mean at confidence 0.999: half the 0.999 quantile of
// chi-squared with 2k+2 degrees of freedom, from tables.
func TestPoissonCDF(t *testing.T) {
	for k, mean := range map[float64]float64{0: 6.908, 1: 9.233, 2: 11.229, 5: 16.455, 10: 24.134, 14: 29.852} {
		if p := poissonCDF(k, mean); math.Abs(p-0.001) > 2e-6 {
			t.Errorf("at most %v of %v: got %v, want 0.001", k, mean, p)
		}
	}
	if p := poissonCDF(1e6, 1e6); p != 1 {
		t.Errorf("at the mean: got %v, want 1", p)
	}
	if p := poissonCDF(0, 0); p != 1 {
		t.Errorf("nothing watched: got %v, want 1", p)
	}
	if p := poissonCDF(9e5, 1e6); p > 1e-100 {
		t.Errorf("far below the mean: got %v", p)
	}
}

// An exit that has decayed counts for what is left of it, so the hours needed fall steadily.
func TestDecayedExitsCountLess(t *testing.T) {
	before := 0.0
	for _, exits := range []float64{0, 0.1, 0.5, 0.9, 1, 1.5, 2} {
		l := lifetime{exits: exits}
		needed := before
		for !l.exceeds(time.Hour, needed, probableAlpha) {
			needed += 0.01
		}
		if needed <= before {
			t.Errorf("%v exits: %.2f h are enough, as many as for fewer exits", exits, needed)
		}
		before = needed
	}
	l := lifetime{exits: 0.1}
	if !l.exceeds(time.Hour, 7.5, probableAlpha) {
		t.Error("a tenth of an exit counts as a whole one")
	}
}

func TestEvidenceIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(Evidence{}); size > 400 {
		t.Errorf("%d bytes a stream, want at most 400", size)
	}
}

func median(d []time.Duration) time.Duration {
	s := append([]time.Duration(nil), d...)
	for i := range s {
		for j := i; j > 0 && s[j] < s[j-1]; j-- {
			s[j], s[j-1] = s[j-1], s[j]
		}
	}
	return s[len(s)/2]
}

func BenchmarkObserve(b *testing.B) {
	rules := defaults()
	var e Evidence
	at := epoch
	b.ReportAllocs()
	b.ReportMetric(float64(unsafe.Sizeof(e)), "B/stream")
	for i := 0; b.Loop(); i++ {
		at = at.Add(time.Minute)
		e.Observe(&rules, Observation{At: at, Start: epoch, Census: true, Count: float64(i), Aged: float64(i), Exits: 0})
	}
}

// With very many exits the normal distribution replaces the sum, closely enough and fast.
func TestManyExits(t *testing.T) {
	for _, deviations := range []float64{1, 2, 3, 3.7} {
		mean := manyExits + deviations*math.Sqrt(manyExits)
		sum, normal := poissonCDF(manyExits, mean), poissonCDF(manyExits+1, mean+1)
		if math.Abs(normal-sum) > sum/100 {
			t.Errorf("%v deviations above: %v by the sum, %v by the normal distribution", deviations, sum, normal)
		}
	}
	begin := time.Now()
	for range 1000 {
		poissonCDF(1e15, 1e15+1e8)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("1,000 of them take %v", took)
	}
}
