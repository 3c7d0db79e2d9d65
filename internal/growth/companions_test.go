package growth

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// arrivalsAt returns the minutes of the arrivals in the given hours.
type arrivalsAt func(r *rand.Rand, hours int) []float64

func poissonOf(perHour float64, load func(hour float64) float64) arrivalsAt {
	return func(r *rand.Rand, hours int) []float64 {
		var at []float64
		for t := 0.0; t < float64(hours)*60; t += r.ExpFloat64() * 60 / perHour / 2 {
			if r.Float64() < load(t/60)/2 {
				at = append(at, t)
			}
		}
		return at
	}
}

func steadily(float64) float64 { return 1 }

func byDay(hour float64) float64 { return 1 + 0.9*math.Sin(2*math.Pi*hour/24) }

func ticking(minutes, phase float64) arrivalsAt {
	return func(_ *rand.Rand, hours int) []float64 {
		var at []float64
		for t := phase; t < float64(hours)*60; t += minutes {
			at = append(at, t)
		}
		return at
	}
}

// evidenceOf observes n goroutines that arrive at each of the given times and stay.
func evidenceOf(at []float64, n, hours int, missed func(minute int) float64) *Evidence {
	rules := defaults()
	var e Evidence
	next := 0
	for minute := range hours * 60 {
		for next < len(at) && at[next] <= float64(minute-10) {
			next++
		}
		aged := max(0, float64(next*n)-missed(minute))
		e.Observe(&rules, Observation{
			At: epoch.Add(time.Duration(minute) * time.Minute), Start: epoch, First: epoch,
			Bound: lifeBound, Census: true, Count: aged + 3, Aged: aged,
		})
	}
	return &e
}

func nothingMissed(int) float64 { return 0 }

func TestCompanions(t *testing.T) {
	const seeds = 200
	rules := defaults()
	for name, tc := range map[string]struct {
		hours    int
		of       arrivalsAt
		other    arrivalsAt // nil if they are companions
		each     int        // how many of the second come with each of the first
		missed   func(minute int) float64
		expected float64 // the share of cases in which they are taken to be companions
		by       float64
	}{
		"reader and writer":               {2, poissonOf(60, steadily), nil, 1, nothingMissed, 1, 0.05},
		"two workers for each":            {3, poissonOf(60, steadily), nil, 2, nothingMissed, 1, 0.05},
		"few":                             {5, poissonOf(12, steadily), nil, 1, nothingMissed, 0.9, 0.1},
		"very many":                       {2, poissonOf(6000, steadily), nil, 1, nothingMissed, 1, 0.05},
		"by day":                          {24, poissonOf(30, byDay), nil, 1, nothingMissed, 1, 0.05},
		"one is missed now and then":      {3, poissonOf(60, steadily), nil, 1, func(minute int) float64 { return float64(minute / 37 % 2) }, 0.97, 0.05},
		"two leaks of one pace":           {24, poissonOf(60, steadily), poissonOf(60, steadily), 1, nothingMissed, 0, 0.01},
		"two leaks under one load":        {48, poissonOf(30, byDay), poissonOf(30, byDay), 1, nothingMissed, 0, 0.01},
		"two tickers":                     {12, ticking(1, 0), ticking(1, 0.5), 1, nothingMissed, 0, 0},
		"one ticker":                      {12, ticking(1, 0), nil, 1, nothingMissed, 0, 0},
		"two slow tickers":                {48, ticking(11, 0), ticking(11, 5), 1, nothingMissed, 0, 0},
		"a ticker and a leak of its pace": {12, ticking(1, 0), poissonOf(60, steadily), 1, nothingMissed, 0, 0.01},
		"ten to one":                      {5, poissonOf(60, steadily), nil, 10, nothingMissed, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			found := 0
			for seed := range uint64(seeds) {
				r := rand.New(rand.NewPCG(seed, 1))
				at := tc.of(r, tc.hours)
				other := at
				if tc.other != nil {
					other = tc.other(r, tc.hours)
				}
				a, b := evidenceOf(at, 1, tc.hours, nothingMissed), evidenceOf(other, tc.each, tc.hours, tc.missed)
				if got := Companions(&rules, a, b, Recent{}); got != Companions(&rules, b, a, Recent{}) {
					t.Fatalf("seed %d: %t, and the other way about not", seed, got)
				} else if got {
					found++
				}
			}
			if got := float64(found) / seeds; math.Abs(got-tc.expected) > tc.by {
				t.Errorf("companions in %.3f of cases, want %.2f", got, tc.expected)
			}
		})
	}
}

// Groups whose observation began at different times are not compared.
func TestCompanionsOfOtherTimes(t *testing.T) {
	rules := defaults()
	at := poissonOf(60, steadily)(rand.New(rand.NewPCG(1, 1)), 3)
	a, b := evidenceOf(at, 1, 3, nothingMissed), evidenceOf(at, 1, 3, nothingMissed)
	if !Companions(&rules, a, b, Recent{}) {
		t.Error("not companions")
	}
	if Companions(&rules, a, evidenceOf(at, 1, 4, nothingMissed), Recent{}) || Companions(&rules, a, &Evidence{}, Recent{}) || Companions(&rules, &Evidence{}, &Evidence{}, Recent{}) {
		t.Error("companions of other times")
	}
}

// every returns intervals of a mean in seconds that vary by up to a share of it.
func every(seconds, share float64) func(r *rand.Rand) float64 {
	return func(r *rand.Rand) float64 { return seconds * (1 + share*(2*r.Float64()-1)) }
}

func atRandom(seconds float64) func(r *rand.Rand) float64 {
	return func(r *rand.Rand) float64 { return seconds * r.ExpFloat64() }
}

// arrivalsIn returns the number of arrivals between each two scrapes.
func arrivalsIn(r *rand.Rand, interval func(r *rand.Rand) float64, scrapes []float64) []float64 {
	came := make([]float64, len(scrapes)-1)
	i := 0
	for t := interval(r) * r.Float64(); ; t += interval(r) {
		for t >= scrapes[i] {
			if i++; i == len(scrapes) {
				return came
			}
		}
		if i > 0 {
			came[i-1]++
		}
	}
}

// TestCompanionsInTheLastScrapes compares groups by their arrivals in 32 scrapes alone, which is what
// is known of a fast leak.
func TestCompanionsInTheLastScrapes(t *testing.T) {
	const seeds = 2000
	rules := defaults()
	for name, tc := range map[string]struct {
		of, other func(r *rand.Rand) float64 // the seconds between arrivals; other is nil for companions
		delay     float64                    // the most seconds by which a scrape of one a second is late
		least     float64                    // the least and the most share of cases in which they are taken
		most      float64                    // to be companions
	}{
		"reader and writer":                         {atRandom(0.6), nil, 0, 0.999, 1},
		"reader and writer, late scrapes":           {atRandom(0.6), nil, 0.3, 0.999, 1},
		"one a scrape":                              {atRandom(1), nil, 0, 0.95, 1},
		"five a scrape":                             {atRandom(0.2), nil, 0, 0.999, 1},
		"two leaks of one pace":                     {atRandom(0.6), atRandom(0.6), 0, 0, 0},
		"two tickers":                               {every(0.6, 0), every(0.6, 0), 0, 0, 0},
		"two tickers, late scrapes":                 {every(0.6, 0), every(0.6, 0), 0.3, 0, 0.001},
		"two tickers of one a scrape, late scrapes": {every(1, 0), every(1, 0), 0.3, 0, 0.005},
		"two slower tickers":                        {every(0.7, 0), every(0.7, 0), 0, 0, 0},
		"two slower tickers, late scrapes":          {every(0.7, 0), every(0.7, 0), 0.3, 0, 0.001},
		"two loops that pause about as long":        {every(0.6, 0.2), every(0.6, 0.2), 0.3, 0, 0.001},
		"two loops that pause 0.3 to 0.9 s":         {every(0.6, 0.5), every(0.6, 0.5), 0.3, 0, 0.005},
	} {
		t.Run(name, func(t *testing.T) {
			found := 0
			for seed := range uint64(seeds) {
				r := rand.New(rand.NewPCG(seed, 1))
				var scrapes []float64
				for i := range 33 {
					scrapes = append(scrapes, 1+float64(i)+tc.delay*r.Float64())
				}
				x := arrivalsIn(r, tc.of, scrapes)
				y := x
				if tc.other != nil {
					y = arrivalsIn(r, tc.other, scrapes)
				}
				if Companions(&rules, &Evidence{}, &Evidence{}, Recent{X: x, Y: y, Interval: time.Second}) {
					found++
				}
			}
			if got := float64(found) / seeds; got < tc.least || got > tc.most {
				t.Errorf("companions in %.4f of cases, want %v to %v", got, tc.least, tc.most)
			}
		})
	}
}
