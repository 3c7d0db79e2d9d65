package finding

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// runtimeOf are the metrics of the memory of a Go process that has leaked so many
// goroutines, each of which holds so many bytes, beside some load.
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

// TestMemoryHeld holds the memory that is told to the truth, while load goes up and down.
func TestMemoryHeld(t *testing.T) {
	for _, held := range []float64{1 << 10, 16 << 10, 1 << 20} {
		random := rand.New(rand.NewPCG(7, uint64(held)))
		r := newRig(t, Config{})
		p := leaking("a", "b1")
		// What is small must be many before it shows beside other things.
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
			t.Errorf("%v bytes each, really %v: %+v", m.PerGoroutine, want, m)
		}
		if math.Abs(m.Held-p.leaked*want) > 0.3*p.leaked*want {
			t.Errorf("%v held, really %v", m.Held, p.leaked*want)
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

// TestSlopeOfNothing tells nothing where memory does not follow the leak.
func TestSlopeOfNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	told := 0
	for range 200 {
		var f fit
		for x := range 50 {
			f.add(float64(x), random.Float64(), random.NormFloat64())
		}
		if _, _, ok := f.slope(); ok {
			told++
		}
	}
	if told > 15 {
		t.Errorf("%d of 200 slopes of nothing are told, of which 5 are expected", told)
	}
	var f fit
	if _, _, ok := f.slope(); ok {
		t.Error("of no points a slope is told")
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
			if p.leaked == 250 { // half-way, since what is live counts twice
				break
			}
			p.more = points
			r.minute(nil, p)
		}
		// The goal is twice what is live: 20 MB, 3 MB of load, and 1 MiB a minute from 250 on.
		left := (limit/2 - 23e6) / float64(1<<20)
		really := time.Duration((left - 250) * float64(time.Minute))
		got := r.only().Limit
		if got.Kind != LimitMemory || got.Learned || (got.In-really).Abs() > really/4 {
			t.Errorf("%+v, really %v", got, really)
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

// TestSmooth averages noise, and believes what has changed.
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
			t.Errorf("%v measured, %v told", noisy, got)
		}
	}
	if got := f.smooth(99, 50, 2*want); got != 2*want {
		t.Errorf("after a change %v is told", got)
	}
	if got := (&fit{}).smooth(99, 50, want); got != want {
		t.Errorf("without a fit %v is told", got)
	}
}
