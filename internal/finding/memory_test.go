package finding

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// runtimeOf returns the memory metrics of a Go process with leaked goroutines that hold held bytes
// each, and others.
func runtimeOf(r *rand.Rand, leaked, held, others float64) []Point {
	const stack, gc = 2048, 100
	live := 20e6 + leaked*held + others*30_000 + r.NormFloat64()*200_000
	stacks := (leaked + others) * stack
	goal := live + (live+stacks+1e6)*gc/100
	return []Point{
		{Metric: metricMemoryUsed, Attributes: attributes("go.memory.type", "stack"), Value: stacks},
		{Metric: metricMemoryUsed, Attributes: attributes("go.memory.type", "other"), Value: live * (1 + r.Float64())},
		{Metric: metricMemoryGoal, Value: goal},
		{Metric: metricGCPercent, Value: gc},
		{Metric: metricMemoryLimit, Value: math.MaxInt64},
		{Metric: telemetry.GoroutineCount, Value: leaked + others},
	}
}

// TestMemoryHeld checks the estimate of the memory that goroutines hold, under varying load.
func TestMemoryHeld(t *testing.T) {
	for _, held := range []float64{1 << 10, 16 << 10, 1 << 20} {
		random := rand.New(rand.NewPCG(7, uint64(held)))
		r := newRig(t, Config{})
		p := leaking("a", "b1")
		// Small goroutines must be many to stand out from the noise.
		p.rate = 60 * max(1, 100_000/held)
		for minute := range 200 {
			p.leaked += p.rate / 60
			others := 100 + 50*math.Sin(float64(minute)/20)
			p.more = runtimeOf(random, p.leaked, held, others)
			r.minute(nil, p)
		}
		m := r.only().Memory
		want := held + 2048
		if m.AtLeast || math.Abs(m.PerGoroutine-want) > 0.3*want || math.Abs(m.PerGoroutine-want) > 4*m.Error+0.02*want {
			t.Errorf("got %v bytes each, want %v: %+v", m.PerGoroutine, want, m)
		}
		if math.Abs(m.Held-p.leaked*want) > 0.3*p.leaked*want {
			t.Errorf("got %v held, want %v", m.Held, p.leaked*want)
		}
	}
}

func TestMemoryUnknown(t *testing.T) {
	r := newRig(t, Config{})
	r.leak(leaking("a", "b1"), 30)
	if m := r.only().Memory; !m.AtLeast || m.Held != 80*2048 {
		t.Errorf("%+v", m)
	}
}

// TestNoSlope checks that there is rarely a slope if memory does not depend on leaked goroutines.
func TestNoSlope(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 200 {
		var f fit
		for x := range 50 {
			f.add(float64(x), random.Float64(), random.NormFloat64())
		}
		if _, _, ok := f.slope(); ok {
			found++
		}
	}
	if found > 15 {
		t.Errorf("%d of 200 have a slope, about 5 are expected", found)
	}
	var f fit
	if _, _, ok := f.slope(); ok {
		t.Error("a slope without points")
	}
}

func TestLimits(t *testing.T) {
	t.Run("goroutines", func(t *testing.T) {
		r := newRig(t, Config{GoroutineLimit: 1000})
		p := leaking("a", "b1")
		p.more = []Point{{Metric: telemetry.GoroutineCount, Value: 400}}
		r.minute(nil, p)
		want := Limit{LimitGoroutines, 1000, 10 * time.Hour, "a", false}
		if got := r.only().Limit; got != want {
			t.Errorf("%+v", got)
		}
	})
	t.Run("memory", func(t *testing.T) {
		random := rand.New(rand.NewPCG(3, 4))
		const limit = 1 << 30
		r := newRig(t, Config{MemoryLimit: limit})
		p := leaking("a", "b1")
		var points []Point
		for p.leaked = 0; ; p.leaked++ {
			points = runtimeOf(random, p.leaked, 1<<20, 100)
			if p.leaked == 250 { // half of the limit, since live memory counts twice
				break
			}
			p.more = points
			r.minute(nil, p)
		}
		// The goal is twice what is live: 20 MB, 3 MB of load, and 1 MiB a minute from 250 on.
		left := (limit/2 - 23e6) / float64(1<<20)
		want := time.Duration((left - 250) * float64(time.Minute))
		got := r.only().Limit
		if got.Kind != LimitMemory || got.Learned || (got.In-want).Abs() > want/4 {
			t.Errorf("got %+v, want in %v", got, want)
		}
	})
	t.Run("learned", func(t *testing.T) {
		r := newRig(t, Config{})
		for life := range 3 {
			p := instance{name: "a", build: "b1", start: r.now, severity: 2, rate: 60}
			for p.leaked = 1; p.leaked <= 300; p.leaked++ {
				p.more = []Point{{Metric: telemetry.GoroutineCount, Value: p.leaked + 100}}
				r.minute(nil, p)
				if life == 2 && p.leaked == 200 {
					break
				}
			}
		}
		want := Limit{LimitGoroutines, 400, 100 * time.Minute, "a", true}
		if got := r.only().Limit; got != want {
			t.Errorf("%+v", got)
		}
	})
	t.Run("deployed, not killed", func(t *testing.T) {
		r := newRig(t, Config{})
		for _, build := range []string{"b1", "b2", "b3"} {
			p := instance{name: "a", build: build, start: r.now, severity: 2, rate: 60}
			for p.leaked = 1; p.leaked <= 300; p.leaked++ {
				p.more = []Point{{Metric: telemetry.GoroutineCount, Value: p.leaked + 100}}
				r.minute(nil, p)
			}
		}
		if got := r.only().Limit; got != (Limit{}) {
			t.Errorf("%+v", got)
		}
	})
}

// TestSmooth checks that noise is averaged, and that a change is not.
func TestSmooth(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	var f fit
	measured := 0.0
	for x := range 100 {
		measured = 1e6 + 1e4*float64(x) + 1e5*random.NormFloat64()
		f.add(float64(x), 50, measured)
	}
	const want = 1e6 + 99e4
	for _, noisy := range []float64{measured, want - 2e5, want + 2e5} {
		if got := f.smooth(99, 50, noisy); math.Abs(got-want) > 0.5e5 {
			t.Errorf("got %v for %v", got, noisy)
		}
	}
	if got := f.smooth(99, 50, 2*want); got != 2*want {
		t.Errorf("got %v after a change", got)
	}
	if got := (&fit{}).smooth(99, 50, want); got != want {
		t.Errorf("got %v without a fit", got)
	}
}
