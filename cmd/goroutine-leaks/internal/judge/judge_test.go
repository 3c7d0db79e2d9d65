package judge

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/page"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// lifetime is that of a goroutine, in seconds since the start of the watch.
type lifetime struct{ start, end float64 }

const (
	watch   = 55.0 // seconds
	forever = 1e9
)

var group = stack.Signature{
	ID: 5, State: stack.StateSelect, Blamed: stack.Frame{Function: "main.wait", File: "/src/main.go", Line: 3}, Entry: "main.serve",
}

func ignoreNothing(Sample) bool { return false }

// simulate observes a group of goroutines with these lifetimes once a second.
func simulate(lives []lifetime, ignore func(Sample) bool) *Judge {
	t := Scaled(time.Duration(watch * float64(time.Second)))
	c, j := census.New(t.AgedAfter, 100), New(t, ignore, nil)
	for at := 0.0; at <= watch; at++ {
		s := &stack.Snapshot{Source: stack.SourceTrace, Procs: 8, HighestID: uint64(len(lives))}
		n := 0
		for i, l := range lives {
			if l.start <= at && l.end > at {
				n++
				s.Goroutines = append(s.Goroutines, stack.Goroutine{ID: uint64(i + 1)})
			}
		}
		if n > 0 {
			s.Groups = []stack.Group{{Signature: group, Count: n}}
		}
		now := time.Unix(1e9, 0).Add(time.Duration(at * float64(time.Second)))
		r := c.Observe(s, now)
		j.Observe(now, Samples(Process{Service: "shop", Instance: "shop:1"}, &r, time.Time{}, now))
	}
	return j
}

// TestHealthyServiceIsJudged checks that the page knows that a healthy service is judged.
func TestHealthyServiceIsJudged(t *testing.T) {
	aggregator := page.NewAggregator(page.Config{})
	j := New(Scaled(time.Minute), ignoreNothing, aggregator)
	now := time.Unix(1e9, 0)
	for range 3 {
		now = now.Add(time.Second)
		var samples []Sample
		for _, instance := range []string{"shop:1", "shop:2"} {
			samples = append(samples, Sample{Process: Process{Service: "shop", Instance: instance}, Kind: detect.Total, At: now, Value: 7})
		}
		j.Observe(now, samples)
	}
	services := aggregator.Site(now).Services
	if len(services) != 1 || !services[0].Judged.Equal(now) || len(services[0].Instances) != 2 {
		t.Errorf("%+v", services)
	}
}

// TestEvidenceHasEarlierGoroutines checks that a finding beside goroutines from before the watch has the
// number of both.
func TestEvidenceHasEarlierGoroutines(t *testing.T) {
	lives := pool(rand.New(rand.NewPCG(1, 2)), 500, 0)
	for at := 1.0; at < watch; at++ {
		lives = append(lives, lifetime{at, forever})
	}
	findings := simulate(lives, ignoreNothing).Findings()
	if len(findings) != 1 || findings[0].Count > watch || findings[0].InAll != findings[0].Count+500 {
		t.Errorf("%+v", findings)
	}
}

func leak(r *rand.Rand, every float64) (lives []lifetime) {
	for at := -1.0; at < watch; at += r.ExpFloat64() * every {
		lives = append(lives, lifetime{at, forever})
	}
	return lives
}

func sessions(r *rand.Rand, since, mean float64) (lives []lifetime) {
	for at := since; at < watch; at += r.ExpFloat64() / 3 {
		lives = append(lives, lifetime{at, at + r.ExpFloat64()*mean})
	}
	return lives
}

func pool(r *rand.Rand, n int, mean float64) (lives []lifetime) {
	for range n {
		lives = append(lives, lifetime{r.ExpFloat64()*mean - 1, forever})
	}
	return lives
}

// TestScaledThresholds checks that a watch of a minute finds leaks, and that sessions and pools are
// rarely flagged. The bounds are three standard deviations from the rates in the comment on Scaled.
// The cases are deterministic.
func TestScaledThresholds(t *testing.T) {
	const cases = 40
	for _, test := range []struct {
		name        string
		lives       func(*rand.Rand) []lifetime
		least, most int
	}{
		{"a leak of one a second", func(r *rand.Rand) []lifetime { return leak(r, 1) }, cases - 2, cases},
		{"sessions of 10 s", func(r *rand.Rand) []lifetime { return sessions(r, -100, 10) }, 0, 0},
		{"sessions of 30 s that have just begun", func(r *rand.Rand) []lifetime { return sessions(r, -1, 30) }, 0, 2},
		{"a pool of 40 that fills", func(r *rand.Rand) []lifetime { return pool(r, 40, 10) }, 0, 13},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			found := 0
			for range cases {
				if all := simulate(test.lives(r), ignoreNothing).Findings(); len(all) > 0 && all[0].Severity >= finding.Probable {
					found++
				}
			}
			if found < test.least || found > test.most {
				t.Errorf("%d of %d flagged, want %d to %d", found, cases, test.least, test.most)
			}
		})
	}
}

// TestFinding checks the place, service, class and origins of a finding.
func TestFinding(t *testing.T) {
	j := simulate(leak(rand.New(rand.NewPCG(1, 3)), 1), ignoreNothing)
	now := time.Unix(1e9+60, 0)
	j.AddOrigins(Process{Service: "shop", Instance: "shop:1"}, []origin.Origin{{
		Signature: group, Caught: origin.LeakedBirth, Class: mistake.CancelForgotten, Traced: time.Second, Births: 3, Leaked: 2,
		Creators: []origin.Creator{{
			Launch: exectrace.ByGo, Stack: []stack.Frame{{Function: "lib.Go", File: "/lib.go", Line: 1}},
			Own: stack.Frame{Function: "main.start", File: "/src/main.go", Line: 9}, Count: 2, Share: 1,
		}},
		Wakers: []origin.Waker{{Own: stack.Frame{Function: "main.stop", File: "/src/main.go", Line: 20}, Count: 1, Share: 1}},
	}}, now)
	all := j.Findings()
	if len(all) != 1 {
		t.Fatalf("%d findings", len(all))
	}
	f := all[0]
	want := finding.Place{State: "select", Function: "main.wait", File: "/src/main.go", Line: 3, Entry: "main.serve"}
	if f.Head != want || f.Service.Name != "shop" || f.Severity != finding.Probable || f.Class != mistake.CancelForgotten {
		t.Errorf("%+v", f)
	}
	if len(f.Creators) != 1 || f.Creators[0].Function != "main.start" || len(f.Wakers) != 1 || f.Wakers[0].Line != 20 {
		t.Errorf("started by %+v, woken by %+v", f.Creators, f.Wakers)
	}
	if !strings.Contains(f.Evidence, "at main.go:3, none has left") {
		t.Error(f.Evidence)
	}
}

// TestAtWorkIsSuspected checks that goroutines woken by others are suspected at most.
func TestAtWorkIsSuspected(t *testing.T) {
	for _, test := range []struct {
		older, served int
		want          finding.Severity
	}{{60, 55, finding.Suspected}, {60, 29, finding.Probable}, {0, 0, finding.Probable}} {
		j := simulate(leak(rand.New(rand.NewPCG(1, 3)), 1), ignoreNothing)
		j.DowngradeAtWork(Process{Service: "shop", Instance: "shop:1"}, []origin.Origin{{
			Signature: group, Caught: origin.NotCaught, Traced: time.Second, Older: test.older, Served: test.served,
		}}, time.Unix(1e9+60, 0))
		if all := j.Findings(); len(all) != 1 || all[0].Severity != test.want {
			t.Errorf("with %d of %d at work: %+v", test.served, test.older, all)
		}
	}
}

// TestServedByEntry checks that an entry has the sum of its groups.
func TestServedByEntry(t *testing.T) {
	at := func(line, older, served int) origin.Origin {
		s := group
		s.ID, s.Blamed.Line = stack.ID(line), line
		return origin.Origin{Signature: s, Older: older, Served: served}
	}
	origins := []origin.Origin{at(1, 10, 9), at(2, 30, 10), {Signature: stack.Signature{Entry: group.Entry}}}
	if served, total := Served(finding.Place{Entry: group.Entry}, origins); served != 19 || total != 40 || IsAtWork(served, total) {
		t.Errorf("%d of %d", served, total)
	}
	if served, total := Served(PlaceOf(origins[0].Signature), origins); served != 9 || total != 10 || !IsAtWork(served, total) {
		t.Errorf("%d of %d", served, total)
	}
}

// TestIgnored checks that ignored groups are not flagged.
func TestIgnored(t *testing.T) {
	j := simulate(leak(rand.New(rand.NewPCG(1, 3)), 1), func(s Sample) bool { return s.Place.Entry == "main.serve" })
	if all := j.Findings(); len(all) > 0 {
		t.Errorf("%+v", all)
	}
}
