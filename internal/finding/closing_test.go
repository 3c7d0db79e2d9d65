package finding

import (
	"math"
	"testing"
)

// pass lets minutes pass in which the same is told.
func (r *rig) pass(minutes int, whole *verdict, instances ...instance) []instance {
	for range minutes {
		for i := range instances {
			instances[i].births += 600
		}
		r.minute(whole, instances...)
	}
	return instances
}

// leakTogether is half an hour of a leak that shows in the service as a whole.
func (r *rig) leakTogether(p instance) instance {
	for range 30 {
		p.leaked++
		p.births += 600
		r.minute(&verdict{2, p.leaked, 60, 1}, p)
	}
	return p
}

// away is what the detector says when nobody is left.
var away = verdict{severity: 2}

func deploys() []life {
	return []life{
		{"a version closes it", func(r *rig) {
			r.leakTogether(leaking("a", "b1"))
			r.pass(19, &away, r.healthy("a", "b2"))
		}, "detected closed_by_version", Closed, "goroutines at order.go:88 gathered, in version b1, closed by version b2"},
		{"not before it is certain", func(r *rig) {
			r.leakTogether(leaking("a", "b1"))
			r.pass(15, &away, r.healthy("a", "b2"))
		}, "detected", Waiting, "goroutines at order.go:88 gathered, in version b1, not seen since its processes have gone, certain in 3 min at the old pace"},
		{"not before they could be old enough", func(r *rig) {
			p := leaking("a", "b1")
			for range 40 {
				p.leaked += 100
				p.births += 600
				r.minute(&verdict{2, p.leaked, 6000, 1}, p)
			}
			r.pass(9, &away, r.healthy("a", "b2"))
		}, "detected", Waiting, "goroutines at order.go:88 gathered, in version b1, not seen since its processes have gone, certain in 2 min at the old pace"},
		{"a deploy that repairs nothing", func(r *rig) {
			r.leakTogether(leaking("a", "b1"))
			q := r.healthy("a", "b2")
			for range 15 {
				r.minute(&away, q)
			}
			for q.leaked < 20 {
				q.leaked++
				r.minute(&verdict{2, q.leaked, 60, 1}, q)
			}
		}, "detected", Open, "20 goroutines older than 10 min at order.go:88, 60 more each hour, in versions b1 to b2"},
		{"a process without a build closes nothing", func(r *rig) {
			r.leakTogether(leaking("a", "b1"))
			r.pass(120, &away, r.healthy("a", "b2"), r.healthy("b", ""))
		}, "detected", Waiting, "goroutines at order.go:88 gathered, in version b1, not seen since its processes have gone"},
		{"a leak without a build is not closed", func(r *rig) {
			r.leakTogether(leaking("a", ""))
			r.pass(120, &away, r.healthy("a", "b2"))
		}, "detected", Waiting, "goroutines at order.go:88 gathered, not seen since its processes have gone"},
		{"a canary of days closes nothing", func(r *rig) {
			p := r.leakTogether(leaking("a", "b1"))
			q := r.healthy("b", "b2")
			for range 2 * 24 * 60 {
				q.births += 600
				r.minute(&verdict{2, p.leaked, 60, 1}, p, q)
			}
		}, "detected", Open, "80 goroutines older than 10 min at order.go:88, none has left, 60 more each hour, in 1 of 2 instances, in version b1"},
		{"after the canary all, soon", func(r *rig) {
			p := r.leakTogether(leaking("a", "b1"))
			q := r.healthy("b", "b2")
			for range 120 {
				q.births += 600
				r.minute(&verdict{2, p.leaked, 60, 1}, p, q)
			}
			r.pass(12, &away, q)
		}, "detected closed_by_version", Closed, "goroutines at order.go:88 gathered, in version b1, closed by version b2"},
		{"it regresses", func(r *rig) {
			r.leakTogether(leaking("a", "b1"))
			r.pass(30, &away, r.healthy("a", "b2"))
			p := r.healthy("a", "b3")
			p.severity, p.rate = 2, 60
			r.leak(p, 10)
		}, "detected closed_by_version regressed", Open, "10 goroutines older than 10 min at order.go:88, none has left, 60 more each hour, in versions b1 to b3"},
		{"it is rolled back", func(r *rig) {
			r.leakTogether(leaking("a", "b1"))
			r.pass(30, &away, r.healthy("a", "b2"))
			p := r.healthy("a", "b1")
			p.severity, p.rate = 2, 60
			r.leak(p, 10)
		}, "detected closed_by_version detected", Open, "10 goroutines older than 10 min at order.go:88, none has left, 60 more each hour, in version b1"},
		{"the old verdict is no news", func(r *rig) {
			r.leakTogether(leaking("a", "b1"))
			r.pass(600, &away, r.healthy("a", "b2"))
			r.pass(20, &verdict{}, r.healthy("a", "b2"))
		}, "detected closed_by_version", Closed, "goroutines at order.go:88 gathered, in version b1, closed by version b2"},
		{"only together is it certain", func(r *rig) {
			p := leaking("a", "b1")
			r.leakTogether(p)
			for _, build := range []string{"b2", "b3"} {
				r.pass(15, &away, r.healthy("a", build))
			}
		}, "detected closed_by_version", Closed, "goroutines at order.go:88 gathered, in version b1, closed by version b3 at the latest"},
		{"services are not judged", func(r *rig) {
			r.leak(leaking("a", "b1"), 30)
			r.pass(80, nil, r.healthy("a", "b2"))
		}, "detected", Waiting, "goroutines at order.go:88 gathered, in version b1, not seen since its processes have gone, certain in 43 min at the old pace"},
		{"services are not judged, for long enough", func(r *rig) {
			r.leak(leaking("a", "b1"), 30)
			r.pass(130, nil, r.healthy("a", "b2"))
		}, "detected closed_by_version", Closed, "goroutines at order.go:88 gathered, in version b1, closed by version b2"},
		{"versions are called by their name", func(r *rig) {
			p := leaking("a", "b1")
			p.version = "1.8.2"
			r.leakTogether(p)
			q := r.healthy("a", "b2")
			q.version = "1.8.3"
			r.pass(30, &away, q)
		}, "detected closed_by_version", Closed, "goroutines at order.go:88 gathered, in version 1.8.2, closed by version 1.8.3"},
		{"since a version", func(r *rig) {
			q := r.healthy("a", "b0")
			r.pass(5, nil, q)
			p := leaking("a", "b1")
			p.start = r.now
			r.minute(nil, p)
		}, "detected", Open, "50 goroutines older than 10 min at order.go:88, none has left, 60 more each hour, since version b1"},
	}
}

// TestCertain holds the time without an arrival to the figures that the decision names.
func TestCertain(t *testing.T) {
	known := math.Log(1 / wrong) // arrivals to be expected if the pace was known
	for _, test := range []struct{ n, most float64 }{{10, 1.45}, {32, 1.12}, {1000, 1.004}} {
		p := pace{Arrivals: test.n, Hours: test.n, Births: test.n, Spread: spread{1e9, 1e9, 1e9}}
		left, ok := p.remaining(exposure{}, exposure{1, 1})
		if over := left.Hours() / known; !ok || over < 1 || over > test.most {
			t.Errorf("after %v arrivals %v times the time", test.n, over)
		}
	}
}

// TestBursts counts as one event what leaks at once.
func TestBursts(t *testing.T) {
	count := func(n int) map[string]float64 { return map[string]float64{together: float64(n)} }
	minute := exposure{1. / 60, 10}
	var bursts, single pace
	bursts.look(fromRows, count(0), false, exposure{})
	single.look(fromRows, count(0), false, exposure{})
	for look := range 3 * 1440 {
		bursts.look(fromRows, count(look/1440*20), false, minute)
		single.look(fromRows, count(look/72), false, minute)
	}
	if n := bursts.events(); n > 2.5 {
		t.Errorf("two bursts of twenty are %v events", n)
	}
	if n := single.events(); n < 25 || n > 64 {
		t.Errorf("59 arrivals, of which half may be forgotten, are %v events", n)
	}
}

// TestLoad tells a leak that follows the load from one that does not, once a day of arrivals
// has shown it.
func TestLoad(t *testing.T) {
	for name, follows := range map[string]bool{"by load": true, "by the hour": false} {
		var l load
		if got := l.follows(1); got != 0.5 {
			t.Errorf("nothing is known, and yet %v", got)
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
			l.look(came, exposure{1. / 60, births})
		}
		if got := l.follows(1); follows && got < 1-2*doubt || !follows && got > 2*doubt {
			t.Errorf("%s: %v", name, got)
		}
	}
}
