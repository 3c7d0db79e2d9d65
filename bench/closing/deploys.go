package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// scenario is what happens to a fleet that leaks.
type scenario struct {
	name   string
	weight float64
	// leaks is which share of the leak the versions after the first have.
	leaks []float64
	run   func(*trial)
	// apart tells that its errors are told, and not counted.
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
	// restored is when the last process that leaks went, zero if one is there.
	restored time.Time
	clean    float64 // what processes have done since then, as the leak counts it
	leaking  float64 // what they had done with the leak
	asked    asked
	closed   []closing
}

// asked is how long it takes from the last process that leaks until ln 1000 arrivals were to be
// expected, plus agedAfter; 0 if that was not reached. Rule knows the rate of the leak, and
// seen goes by the rate at which arrivals were seen until then. Both know whether the leak
// follows the load.
type asked struct{ rule, seen time.Duration }

// closing is a finding that was closed.
type closing struct {
	right bool
	took  time.Duration
}

// newTrial returns a fleet that has leaked for long enough to be flagged.
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

// play returns whether the leak was detected before the deploy.
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

// waits tells whether a repaired leak is still to be closed.
func (t *trial) waits() bool {
	return !t.restored.IsZero() && len(t.closed) == 0 && slices.ContainsFunc(t.tracker.Findings(), func(f finding.Finding) bool {
		return f.Status == finding.Waiting
	})
}

// watch lets time pass.
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
		t.restored, t.clean, t.asked = time.Time{}, 0, asked{}
	case t.restored.IsZero():
		t.restored = t.now
	default:
		t.clean += done * float64(len(t.live))
		took := t.now.Sub(t.restored) + agedAfter
		if t.asked.rule == 0 && t.clean*t.rate/float64(t.burst) >= math.Log(1000) {
			t.asked.rule = took
		}
		if t.asked.seen == 0 && t.clean*float64(t.events)/t.leaking >= math.Log(1000) {
			t.asked.seen = took
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

// judge tells whether a finding was closed rightly: the version that is said to have closed
// it does not leak, nor does any that is there. One that leaks after it was rolled back is
// another matter.
func (t *trial) judge(c finding.Change) closing {
	right := t.leaks[c.Finding.ClosedBy] == 0 && !t.restored.IsZero()
	return closing{right, t.now.Sub(t.restored)}
}
