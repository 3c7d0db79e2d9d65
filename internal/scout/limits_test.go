package scout

import (
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// TestTooLargeToTrace checks that large and busy processes are not traced.
func TestTooLargeToTrace(t *testing.T) {
	for name, grow := range map[string]func(*simulated){
		"goroutines": func(p *simulated) { p.goroutines = maxGoroutines + 1 },
		"births":     func(p *simulated) { p.births = 60 * (maxBirths + 1) },
	} {
		t.Run(name, func(t *testing.T) {
			p := New().simulate("cart", 1)
			small := *p
			grow(p)
			if p.next(10*hour) != nil {
				t.Error("traced")
			}
			p.goroutines, p.births = small.goroutines, small.births
			p.mustNext(t, 2)
		})
	}
}

// TestNeverLongerThanHalfAnInterval checks that a trace does not delay the next observation.
func TestNeverLongerThanHalfAnInterval(t *testing.T) {
	p := New().simulate("cart", 1)
	p.rules.Duration = 10 * time.Second
	_, durations := p.traces(10*hour, origin.NotCaught)
	for _, d := range durations {
		if d > rules.Interval/2 {
			t.Errorf("%v", d)
		}
	}
}

// TestBusy checks that a busy process is tried again an interval later, at no cost.
func TestBusy(t *testing.T) {
	p := New().simulate("cart", 1)
	p.goroutines = maxGoroutines
	p.mustNext(t, hour)
	for range 100 {
		p.AddResult(Result{Ending: Busy}, p.at.Add(time.Second))
		if plan := p.next(1); plan == nil || plan.Duration != DefaultDuration {
			t.Fatalf("%+v", plan)
		}
	}
}

// TestFailed checks that a process with failures is traced more rarely and for a shorter time, and that
// origins from before the failure count.
func TestFailed(t *testing.T) {
	p := New().simulate("cart", 1)
	for range 2 {
		p.AddResult(result(p.mustNext(t, hour), origin.NotCaught), p.at)
	}
	plan := p.mustNext(t, hour)
	if plan.Duration != 5*DefaultDuration {
		t.Fatalf("%v", plan.Duration)
	}
	cut := result(plan, origin.SiblingsOnly, by("main.checkout", 1))
	cut.Ending = Failed
	if changed := p.AddResult(cut, p.at); len(changed) != 1 {
		t.Errorf("%+v", changed)
	}
	if plan = p.mustNext(t, hour); plan.Duration != 5*DefaultDuration/2 {
		t.Errorf("%v", plan.Duration)
	}
	last := p.at
	for range 10 {
		p.AddResult(Result{Ending: Failed}, p.at)
		last = p.at
		plan = p.mustNext(t, 2*hour)
	}
	if plan.Duration != DefaultDuration || p.at.Sub(last) != maxRest {
		t.Errorf("%v, %v after the one before", plan.Duration, p.at.Sub(last))
	}
}

// TestMaxReported adds new groups continuously, like a hostile process, and checks that the latest are
// reported.
func TestMaxReported(t *testing.T) {
	p := New().simulate("cart", 1)
	var latest *subject
	for id := range stack.ID(3 * maxReported) {
		at := began.Add(time.Duration(id) * time.Second)
		latest = p.scout.subject("cart", stack.Signature{ID: id + 1}, at)
		p.report(latest, at)
	}
	if n := len(p.Origins()); n != maxReported || latest.reporter != p.Process {
		t.Errorf("%d reported", n)
	}
}

// TestBudget traces a leak that is never caught for a week, in processes of all sizes, and adds up the
// costs of the traces.
func TestBudget(t *testing.T) {
	for _, test := range []struct {
		name       string
		goroutines int
		bytes      int // a second
		reading    time.Duration
	}{
		{"plain", 1000, 100_000, time.Millisecond},
		{"busy", 10_000, 1_000_000, 10 * time.Millisecond},
		{"largest traced", maxGoroutines, 8 << 20, 90 * time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := New().simulate("cart", 1)
			p.goroutines = test.goroutines
			var spent time.Duration
			traces := 0
			for range week {
				p.look()
				plan, due := p.Next(p.at)
				if !due {
					continue
				}
				r := result(plan, origin.NotCaught)
				seconds := plan.Duration.Seconds()
				r.Size = min(int(float64(test.bytes)*seconds), 8<<20)
				r.Reading = time.Duration(float64(test.reading) * seconds)
				if now := p.at.Sub(began); float64(spent) > rules.Budget*float64(now) {
					t.Fatalf("trace after %v spent in %v", spent, now)
				}
				spent += plan.cost(r)
				traces++
				p.AddResult(r, p.at)
			}
			cores := spent.Seconds() / (week * rules.Interval).Seconds()
			t.Logf("%d traces, %.6f of a core", traces, cores)
			if cores > rules.Budget || traces == 0 {
				t.Errorf("%d traces, %v of a core", traces, cores)
			}
		})
	}
}
