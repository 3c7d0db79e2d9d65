package finding

import (
	"math"
	"testing"
)

// repeat sends the same metrics for some minutes.
func (r *rig) repeat(minutes int, whole *verdict, instances ...instance) []instance {
	for range minutes {
		for i := range instances {
			instances[i].births += 600
		}
		r.minute(whole, instances...)
	}
	return instances
}

// leakInWhole leaks for half an hour, with a verdict on the service as a whole.
func (r *rig) leakInWhole(p instance) instance {
	for range 30 {
		p.leaked++
		p.births += 600
		r.minute(&verdict{2, p.leaked, 60, 1}, p)
	}
	return p
}

// noneLeft is the verdict on the service as a whole after all leaked goroutines are gone.
var noneLeft = verdict{severity: 2}

func deploys() []scenario {
	return []scenario{
		{"closed by a version", func(r *rig) {
			r.leakInWhole(leaking("a", "b1"))
			r.repeat(19, &noneLeft, r.healthy("a", "b2"))
		}, "detected closed_by_version", Closed, "goroutines at order.go:88 gathered, in version b1, closed by version b2"},
		{"not before it is certain", func(r *rig) {
			r.leakInWhole(leaking("a", "b1"))
			r.repeat(15, &noneLeft, r.healthy("a", "b2"))
		}, "detected", Waiting, "goroutines at order.go:88 gathered, in version b1, not seen since its processes are gone, certain in 3 min at the old pace"},
		{"not before goroutines can be old enough", func(r *rig) {
			p := leaking("a", "b1")
			for range 40 {
				p.leaked += 100
				p.births += 600
				r.minute(&verdict{2, p.leaked, 6000, 1}, p)
			}
			r.repeat(9, &noneLeft, r.healthy("a", "b2"))
		}, "detected", Waiting, "goroutines at order.go:88 gathered, in version b1, not seen since its processes are gone, certain in 2 min at the old pace"},
		{"a deploy without a repair", func(r *rig) {
			r.leakInWhole(leaking("a", "b1"))
			q := r.healthy("a", "b2")
			for range 15 {
				r.minute(&noneLeft, q)
			}
			for q.leaked < 20 {
				q.leaked++
				r.minute(&verdict{2, q.leaked, 60, 1}, q)
			}
		}, "detected", Open, "20 goroutines older than 10 min at order.go:88, 60 more each hour, in versions b1 to b2"},
		{"not closed with a process without a build", func(r *rig) {
			r.leakInWhole(leaking("a", "b1"))
			r.repeat(120, &noneLeft, r.healthy("a", "b2"), r.healthy("b", ""))
		}, "detected", Waiting, "goroutines at order.go:88 gathered, in version b1, not seen since its processes are gone"},
		{"not closed if the leak has no build", func(r *rig) {
			r.leakInWhole(leaking("a", ""))
			r.repeat(120, &noneLeft, r.healthy("a", "b2"))
		}, "detected", Waiting, "goroutines at order.go:88 gathered, not seen since its processes are gone"},
		{"not closed by a canary of two days", func(r *rig) {
			p := r.leakInWhole(leaking("a", "b1"))
			q := r.healthy("b", "b2")
			for range 2 * 24 * 60 {
				q.births += 600
				r.minute(&verdict{2, p.leaked, 60, 1}, p, q)
			}
		}, "detected", Open, "80 goroutines older than 10 min at order.go:88, none has left, 60 more each hour, in 1 of 2 instances, in version b1"},
		{"closed soon after a canary", func(r *rig) {
			p := r.leakInWhole(leaking("a", "b1"))
			q := r.healthy("b", "b2")
			for range 120 {
				q.births += 600
				r.minute(&verdict{2, p.leaked, 60, 1}, p, q)
			}
			r.repeat(12, &noneLeft, q)
		}, "detected closed_by_version", Closed, "goroutines at order.go:88 gathered, in version b1, closed by version b2"},
		{"regressed", func(r *rig) {
			r.leakInWhole(leaking("a", "b1"))
			r.repeat(30, &noneLeft, r.healthy("a", "b2"))
			p := r.healthy("a", "b3")
			p.severity, p.rate = 2, 60
			r.leak(p, 10)
		}, "detected closed_by_version regressed", Open, "10 goroutines older than 10 min at order.go:88, none has left, 60 more each hour, in versions b1 to b3"},
		{"rolled back", func(r *rig) {
			r.leakInWhole(leaking("a", "b1"))
			r.repeat(30, &noneLeft, r.healthy("a", "b2"))
			p := r.healthy("a", "b1")
			p.severity, p.rate = 2, 60
			r.leak(p, 10)
		}, "detected closed_by_version detected", Open, "10 goroutines older than 10 min at order.go:88, none has left, 60 more each hour, in version b1"},
		{"not detected again by the old verdict", func(r *rig) {
			r.leakInWhole(leaking("a", "b1"))
			r.repeat(600, &noneLeft, r.healthy("a", "b2"))
			r.repeat(20, &verdict{}, r.healthy("a", "b2"))
		}, "detected closed_by_version", Closed, "goroutines at order.go:88 gathered, in version b1, closed by version b2"},
		{"certain only with both versions", func(r *rig) {
			p := leaking("a", "b1")
			r.leakInWhole(p)
			for _, build := range []string{"b2", "b3"} {
				r.repeat(15, &noneLeft, r.healthy("a", build))
			}
		}, "detected closed_by_version", Closed, "goroutines at order.go:88 gathered, in version b1, closed by version b3 at the latest"},
		{"services not judged", func(r *rig) {
			r.leak(leaking("a", "b1"), 30)
			r.repeat(80, nil, r.healthy("a", "b2"))
		}, "detected", Waiting, "goroutines at order.go:88 gathered, in version b1, not seen since its processes are gone, certain in 43 min at the old pace"},
		{"services not judged, long enough", func(r *rig) {
			r.leak(leaking("a", "b1"), 30)
			r.repeat(130, nil, r.healthy("a", "b2"))
		}, "detected closed_by_version", Closed, "goroutines at order.go:88 gathered, in version b1, closed by version b2"},
		{"named versions", func(r *rig) {
			p := leaking("a", "b1")
			p.version = "1.8.2"
			r.leakInWhole(p)
			q := r.healthy("a", "b2")
			q.version = "1.8.3"
			r.repeat(30, &noneLeft, q)
		}, "detected closed_by_version", Closed, "goroutines at order.go:88 gathered, in version 1.8.2, closed by version 1.8.3"},
		{"since a later version", func(r *rig) {
			q := r.healthy("a", "b0")
			r.repeat(5, nil, q)
			p := leaking("a", "b1")
			p.start = r.now
			r.minute(nil, p)
		}, "detected", Open, "50 goroutines older than 10 min at order.go:88, none has left, 60 more each hour, since version b1"},
	}
}

// TestCertain checks the figures in docs/decisions/findings.md: how much longer closing takes because
// the pace is only estimated.
func TestCertain(t *testing.T) {
	known := math.Log(1 / alpha) // arrivals to be expected if the pace was known
	for _, test := range []struct{ n, most float64 }{{10, 1.45}, {32, 1.12}, {1000, 1.004}} {
		p := pace{Arrivals: test.n, Hours: test.n, Births: test.n, Spread: spread{1e9, 1e9, 1e9}}
		left, ok := p.remaining(exposure{}, exposure{1, 1})
		if over := left.Hours() / known; !ok || over < 1 || over > test.most {
			t.Errorf("after %v arrivals: %v times the time with a known pace", test.n, over)
		}
	}
}

// TestBursts checks that goroutines that leak at once are one event.
func TestBursts(t *testing.T) {
	count := func(n int) map[string]float64 { return map[string]float64{allProcesses: float64(n)} }
	minute := exposure{1. / 60, 10}
	var bursts, single pace
	bursts.observe(fromRows, count(0), false, exposure{})
	single.observe(fromRows, count(0), false, exposure{})
	for look := range 3 * 1440 {
		bursts.observe(fromRows, count(look/1440*20), false, minute)
		single.observe(fromRows, count(look/72), false, minute)
	}
	if n := bursts.events(); n > 2.5 {
		t.Errorf("two bursts of twenty are %v events", n)
	}
	if n := single.events(); n < 25 || n > 64 {
		t.Errorf("59 arrivals, of which half may be forgotten, are %v events", n)
	}
}

// TestLoad checks that arrivals of two days show whether a leak follows the load.
func TestLoad(t *testing.T) {
	for name, follows := range map[string]bool{"by load": true, "by the hour": false} {
		var l load
		if got := l.follows(1); got != 0.5 {
			t.Errorf("got %v without arrivals", got)
		}
		due := 0.0
		for minute := range 2 * 1440 {
			births := 600 * (1 + 0.5*math.Sin(2*math.Pi*float64(minute)/1440))
			came := 0.0
			if due += 0.1; follows {
				due += 0.1 * (births/600 - 1)
			}
			if due >= 1 {
				due--
				came = 1
			}
			l.observe(came, exposure{1. / 60, births})
		}
		if got := l.follows(1); follows && got < 1-2*minWeight || !follows && got > 2*minWeight {
			t.Errorf("%s: %v", name, got)
		}
	}
}
