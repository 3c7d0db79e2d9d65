package scout

import (
	"slices"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// TestQuietProcess observes goroutines that come and go for a week.
func TestQuietProcess(t *testing.T) {
	p := New().simulate("cart", 1)
	p.aged, p.arrivals, p.leaving = 50, 3, 3
	if plan := p.next(week); plan != nil {
		t.Errorf("traced for %v after %v", plan.Duration, p.at.Sub(began))
	}
}

// TestFirstTrace checks that the first trace comes as soon as the group is a candidate.
func TestFirstTrace(t *testing.T) {
	p := New().simulate("cart", 1)
	plan := p.mustNext(t, hour)
	if took := p.at.Sub(began); took > 20*time.Minute {
		t.Errorf("after %v", took)
	}
	if plan.Duration != DefaultDuration || len(plan.Subjects.Entries) > 0 || len(plan.Subjects.Groups) != 1 || plan.Subjects.Groups[0].Signature != p.group {
		t.Errorf("%+v", plan)
	}
	if perHour := plan.Subjects.Groups[0].PerHour; perHour < 120 {
		t.Errorf("%v an hour", perHour)
	}
	if again := p.next(hour); again != nil {
		t.Error("a process is traced twice at a time")
	}
}

// TestOneProcessAtATime observes candidates in replicas and in another service at the same time.
func TestOneProcessAtATime(t *testing.T) {
	s := New()
	a, b, c, d := s.simulate("cart", 1), s.simulate("cart", 1), s.simulate("order", 1), s.simulate("mail", 1)
	first := a.mustNext(t, hour)
	if b.next(hour) != nil {
		t.Error("two processes are traced for the same group")
	}
	c.mustNext(t, hour)
	if d.next(hour) != nil {
		t.Errorf("more than %d traces at a time", maxConcurrent)
	}
	a.AddResult(result(first, origin.NotCaught), a.at)
	b.mustNext(t, hour)
}

// traces traces a process with the same result each time, and returns the times and lengths.
func (p *simulated) traces(looks int, caught origin.Caught, creators ...origin.Creator) (after, durations []time.Duration) {
	for range looks {
		p.look()
		if plan, due := p.Next(p.at); due {
			p.AddResult(result(plan, caught, creators...), p.at.Add(plan.Duration))
			after, durations = append(after, p.at.Sub(began)), append(durations, plan.Duration)
		}
	}
	return after, durations
}

// between returns the differences of consecutive times.
func between(at []time.Duration) (all []time.Duration) {
	for i := range at[1:] {
		all = append(all, at[i+1]-at[i])
	}
	return all
}

// TestNotCaught checks that an unknown origin is traced again, longer and with back-off, up to once an
// hour for a leak that a trace has little chance to catch.
func TestNotCaught(t *testing.T) {
	const m = time.Minute
	for _, test := range []struct {
		name     string
		arrivals int
		rest     time.Duration
	}{{"120 an hour", 2, 10 * m}, {"a pool that has filled", 0, time.Hour}} {
		t.Run(test.name, func(t *testing.T) {
			p := New().simulate("cart", 1)
			p.AddResult(result(p.mustNext(t, hour), origin.NotCaught), p.at)
			p.arrivals = test.arrivals
			first := p.at.Sub(began)
			after, durations := p.traces(24*hour, origin.NotCaught)
			if got := durations[:3]; !slices.Equal(got, []time.Duration{3 * DefaultDuration, 5 * DefaultDuration, 5 * DefaultDuration}) {
				t.Errorf("durations %v", got)
			}
			waits := between(append([]time.Duration{first}, after...))
			if got := waits[:4]; !slices.Equal(got, []time.Duration{m, 2 * m, 4 * m, 8 * m}) {
				t.Errorf("waits %v", got)
			}
			if got := waits[len(waits)-1]; got != test.rest {
				t.Errorf("last wait %v", got)
			}
		})
	}
}

// TestSiblingsOnly checks that the creator of siblings is reported at once, and tracing goes on.
func TestSiblingsOnly(t *testing.T) {
	p := New().simulate("cart", 1)
	plan := p.mustNext(t, hour)
	changed := p.AddResult(result(plan, origin.SiblingsOnly, by("main.checkout", 10)), p.at)
	if len(changed) != 1 || changed[0].Caught != origin.SiblingsOnly || changed[0].Creators[0].Stack[0].Function != "main.checkout" {
		t.Fatalf("%+v", changed)
	}
	again := p.mustNext(t, hour)
	if changed := p.AddResult(result(again, origin.SiblingsOnly, by("main.checkout", 10)), p.at); len(changed) > 0 {
		t.Errorf("unchanged origins returned: %+v", changed)
	}
	if origins := p.Origins(); len(origins) != 1 || origins[0].Creators[0].Count != 20 || origins[0].Births != 20 || origins[0].Traced != 4*DefaultDuration {
		t.Errorf("%+v", origins)
	}
}

// TestKnown checks that tracing stops once the origin is known, also in replicas and after the traced
// process has gone.
func TestKnown(t *testing.T) {
	s := New()
	a, b := s.simulate("cart", 1), s.simulate("cart", 1)
	plan := a.mustNext(t, hour)
	if changed := a.AddResult(result(plan, origin.LeakedBirth, by("main.checkout", 2)), a.at); len(changed) != 1 {
		t.Errorf("%+v", changed)
	}
	if a.next(week) != nil || b.next(week) != nil {
		t.Error("traced again")
	}
	if len(a.Origins()) != 1 || len(b.Origins()) != 0 {
		t.Error("exactly one replica must report the origin")
	}
	a.restart()
	if a.next(1) != nil || len(a.Origins()) > 0 {
		t.Error("a new process must not report the origin of the previous one")
	}
	b.look()
	if origins := b.Origins(); len(origins) != 1 || origins[0].Caught != origin.LeakedBirth {
		t.Errorf("the replica must take over the report: %+v", origins)
	}
	b.Reset()
	if a.next(hour) != nil || len(a.Origins()) != 1 {
		t.Error("the new process must report once its group is a candidate")
	}
}

// TestAnotherBuild checks that another build is traced again, since its lines may differ.
func TestAnotherBuild(t *testing.T) {
	p := New().simulate("build 1 of cart", 1)
	p.AddResult(result(p.mustNext(t, hour), origin.LeakedBirth, by("main.checkout", 2)), p.at)
	p.restart()
	p.service = "build 2 of cart"
	p.mustNext(t, hour)
}

// TestBuildThatBecomesKnown checks that a process whose build becomes known reports a group once, not
// for two builds.
func TestBuildThatBecomesKnown(t *testing.T) {
	p := New().simulate("cart", 1)
	p.AddResult(result(p.mustNext(t, hour), origin.LeakedBirth, by("main.checkout", 2)), p.at)
	p.service = "build 1 of cart"
	p.AddResult(result(p.mustNext(t, hour), origin.LeakedBirth, by("main.checkout", 3)), p.at)
	if origins := p.Origins(); len(origins) != 1 || origins[0].Creators[0].Count != 3 {
		t.Errorf("%+v", origins)
	}
}

// TestReplacedWhileTraced replaces the process between Next and AddResult.
func TestReplacedWhileTraced(t *testing.T) {
	p := New().simulate("cart", 1)
	plan := p.mustNext(t, hour)
	p.restart()
	p.look()
	if changed := p.AddResult(result(plan, origin.LeakedBirth, by("main.checkout", 2)), p.at); changed != nil || len(p.Origins()) > 0 {
		t.Errorf("%+v", changed)
	}
	p.mustNext(t, hour)
}

// TestReportExpires checks that an origin is reported for an hour after the group was last a candidate.
func TestReportExpires(t *testing.T) {
	p := New().simulate("cart", 1)
	p.AddResult(result(p.mustNext(t, hour), origin.LeakedBirth, by("main.checkout", 2)), p.at)
	p.arrivals, p.leaving = 0, 1
	for len(p.requests) > 0 {
		p.look()
	}
	p.leaving = 0
	for range hour - 2 {
		if p.look(); len(p.Origins()) != 1 {
			t.Fatalf("ended after %v", p.at.Sub(began))
		}
	}
	for range hour {
		p.look()
	}
	if len(p.Origins()) > 0 {
		t.Error("still reported")
	}
}

// TestMaxSubjectsKnown checks that the oldest subjects are evicted.
func TestMaxSubjectsKnown(t *testing.T) {
	s := New()
	p := s.simulate("cart", 1)
	for id := range stack.ID(3 * maxSubjectsKnown) {
		s.subject("cart", stack.Signature{ID: id + 1}, began.Add(time.Duration(id)))
	}
	if len(s.subjects) != maxSubjectsKnown {
		t.Errorf("%d subjects", len(s.subjects))
	}
	p.mustNext(t, hour)
}
