package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// scenario is a sequence of deploys to a leaking fleet.
type scenario struct {
	name   string
	weight float64
	// leaks is the leak rate of each version after the first, relative to the first.
	leaks []float64
	run   func(*trial)
	// apart excludes the scenario from the totals.
	apart bool
}

const day = 24 * time.Hour

func scenarios() []scenario {
	return []scenario{
		{"repaired", 0.40, []float64{0}, func(t *trial) { t.deploy("v2") }, false},
		{"not repaired", 0.25, []float64{1}, func(t *trial) { t.deploy("v2") }, false},
		{"repaired at the second attempt", 0.10, []float64{1, 0}, func(t *trial) {
			t.deploy("v2")
			t.watch(within(t.r, time.Hour, 6*time.Hour))
			t.deploy("v3")
		}, false},
		{"a canary of days, then all", 0.10, []float64{0}, func(t *trial) {
			t.start(0, "v2")
			t.watch(within(t.r, day, 3*day))
			t.deploy("v2")
		}, false},
		{"a canary that is not repaired", 0.05, []float64{1}, func(t *trial) {
			t.start(0, "v2")
			t.watch(within(t.r, day, 3*day))
			t.deploy("v2")
		}, false},
		{"repaired, rolled back", 0.10, []float64{0}, func(t *trial) {
			t.deploy("v2")
			t.watch(within(t.r, time.Hour/2, 12*time.Hour))
			t.deploy("v1")
		}, false},
		{"a tenth is left", 0.05, []float64{0.1}, func(t *trial) { t.deploy("v2") }, true},
	}
}

// trial is one simulated deploy.
type trial struct {
	fleet
	tracker  *finding.Tracker
	scenario scenario
	// restored is when the last leaking process ended, zero while there is one.
	restored time.Time
	clean    float64 // load since then, in process hours
	leaking  float64 // load of leaking processes, in the same unit
	required required
	closed   []closing
}

// required is the time from the last leaking process until ln 1000 arrivals are expected, plus agedAfter; 0 if
// that was not reached. rule uses the true rate of the leak, seen the rate observed until then. Both know whether
// the leak follows the load.
type required struct{ rule, seen time.Duration }

// closing is a finding that was closed.
type closing struct {
	right bool
	took  time.Duration
}

// newTrial returns a random trial.
func newTrial(seed uint64, judged bool) *trial {
	r := rand.New(rand.NewPCG(seed, 16))
	t := &trial{tracker: finding.NewTracker(finding.Config{}), scenario: pick(r)}
	rate := 0.2 * math.Pow(300, r.Float64())
	replicas := int(math.Pow(40, r.Float64()))
	step := time.Minute
	if rate*float64(replicas) < 5 {
		step = 5 * time.Minute
	}
	t.fleet = fleet{
		r: r, rate: rate, byLoad: r.Float64() < 0.7, burst: 1, renamed: r.Float64() < 0.5, step: step,
		now: epoch.Add(within(r, 0, day)), leaks: map[string]float64{"v1": 1}, detector: detector{off: !judged},
	}
	if r.Float64() < 0.15 {
		t.burst = 2 + r.IntN(19)
	}
	for i, share := range t.scenario.leaks {
		t.leaks[[]string{"v2", "v3"}[i]] = share
	}
	for slot := range replicas {
		t.start(slot, "v1")
	}
	return t
}

func pick(r *rand.Rand) scenario {
	all, total := scenarios(), 0.0
	for _, s := range all {
		total += s.weight
	}
	left := r.Float64() * total
	for _, s := range all {
		if left -= s.weight; left < 0 {
			return s
		}
	}
	return all[0]
}

func within(r *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(r.Float64()*float64(high-low))
}

// play runs the trial. It returns false if the leak was not detected before the deploy.
func (t *trial) play() bool {
	for !t.detector.flagged {
		t.tick()
		if t.now.Sub(epoch) > 10*day {
			return false
		}
	}
	t.watch(within(t.r, 0, day))
	t.scenario.run(t)
	t.watch(day + day/4)
	for t.waits() {
		t.watch(time.Hour)
	}
	return true
}

// waits reports whether a repaired leak has not been closed yet.
func (t *trial) waits() bool {
	return !t.restored.IsZero() && len(t.closed) == 0 && slices.ContainsFunc(t.tracker.Findings(), func(f finding.Finding) bool {
		return f.Status == finding.Waiting
	})
}

// watch advances the time by d.
func (t *trial) watch(d time.Duration) {
	for until := t.now.Add(d); t.now.Before(until); {
		t.tick()
	}
}

// deploy replaces all processes, one after the other.
func (t *trial) deploy(version string) {
	pause := within(t.r, time.Minute, 30*time.Minute) / time.Duration(len(t.live))
	for slot := range t.live {
		if t.live[slot].version != version {
			t.start(slot, version)
			t.watch(pause)
		}
	}
}

func (t *trial) tick() {
	t.advance()
	leaking := 0.0
	for _, p := range t.live {
		leaking += t.leaks[p.version]
	}
	done := t.step.Hours() * t.intensity() / t.rate
	switch {
	case leaking > 0:
		t.leaking += done * leaking
		t.restored, t.clean, t.required = time.Time{}, 0, required{}
	case t.restored.IsZero():
		t.restored = t.now
	default:
		t.clean += done * float64(len(t.live))
		took := t.now.Sub(t.restored) + agedAfter
		if t.required.rule == 0 && t.clean*t.rate/float64(t.burst) >= math.Log(1000) {
			t.required.rule = took
		}
		if t.required.seen == 0 && t.clean*float64(t.events)/t.leaking >= math.Log(1000) {
			t.required.seen = took
		}
	}
	for _, c := range t.scrape(t.tracker) {
		switch {
		case c.Kind == finding.ClosedByVersion:
			t.closed = append(t.closed, t.judge(c))
		case c.Kind == finding.Regressed && !t.restored.IsZero():
			t.closed = append(t.closed, closing{}) // nothing leaks
		}
	}
}

// judge returns whether a finding was closed correctly: neither the version that closed it nor any running
// version leaks. Leaks after a later rollback do not count.
func (t *trial) judge(c finding.Change) closing {
	right := t.leaks[c.Finding.ClosedBy] == 0 && !t.restored.IsZero()
	return closing{right, t.now.Sub(t.restored)}
}
