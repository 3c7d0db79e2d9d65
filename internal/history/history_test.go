package history

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// TestSumsOverInstances checks that each instance is in every sum once, although scrapes are spread
// over the interval, and early or late.
func TestSumsOverInstances(t *testing.T) {
	for _, step := range []time.Duration{time.Second, 15 * time.Second, time.Minute, 5 * time.Minute} {
		t.Run(step.String(), func(t *testing.T) {
			h := New(Config{})
			r := rand.New(rand.NewPCG(1, 2))
			for n := range 40 {
				for i := range 20 {
					phase := time.Duration(i) * step / 20
					jitter := time.Duration(r.Int64N(int64(step / 10)))
					observe(h, fmt.Sprint("i", i), epoch.Add(time.Duration(n)*step+phase+jitter), 3, 2, 0)
				}
			}
			c := h.Chart(shop, []finding.Place{order})
			known := 0
			for i, v := range c.Count {
				if math.IsNaN(v) {
					continue
				}
				known++
				if v != 60 || c.Bands[0].Values[i] != 40 {
					t.Errorf("%v: %v goroutines, %v aged", time.Duration(i)*c.Step, v, c.Bands[0].Values[i])
				}
			}
			if known < 10 || c.Step != 2*step && c.Step > 3*step {
				t.Errorf("%d values of %v", known, c.Step)
			}
			s := only(t, h)
			if s.Goroutines != 80 || len(s.Lines) != 1 || s.Lines[0].Count != 60 || len(s.Instances) != 20 || !s.Aged {
				t.Errorf("%v goroutines, %v, %d instances", s.Goroutines, s.Lines, len(s.Instances))
			}
		})
	}
}

// TestFirstScrape checks that there are numbers after one scrape, before the first window is closed.
func TestFirstScrape(t *testing.T) {
	h := New(Config{})
	observe(h, "a", epoch, 3, 0, 0)
	observe(h, "b", epoch.Add(time.Second), 4, 0, 0)
	if s := only(t, h); s.Goroutines != 9 || len(s.Lines) != 1 || s.Lines[0].Count != 7 {
		t.Errorf("%v goroutines, %v", s.Goroutines, s.Lines)
	}
}

func TestOutageIsNotAStep(t *testing.T) {
	h := New(Config{})
	at := epoch
	for n := range 60 {
		at = at.Add(time.Minute)
		if n == 1 {
			at = at.Add(8 * time.Minute) // the second scrape comes late
		}
		observe(h, "a", at, 3, 0, 0)
	}
	if width := h.services[shop].window.width; width > 20*time.Minute {
		t.Errorf("windows of %v", width)
	}
	if step := h.services[shop].instances["a"].step; step != time.Minute {
		t.Errorf("a step of %v", step)
	}
}

func TestExitsAreIncreasesOfTheCounter(t *testing.T) {
	h := New(Config{})
	for n := range 30 {
		exits := 0.0
		if n >= 10 {
			exits = 5
		}
		if n >= 20 {
			exits = 1 // another process
		}
		observe(h, "a", epoch.Add(time.Duration(n)*time.Minute), 3, 2, exits)
	}
	total := 0.0
	for _, n := range h.Chart(shop, []finding.Place{order}).Exits {
		total += n
	}
	if total != 5 {
		t.Errorf("got %v exits, want 5", total)
	}
}

// TestADayIsKept observes three days, of which the last is kept.
func TestADayIsKept(t *testing.T) {
	h := New(Config{})
	for n := range 3 * 24 * 60 {
		at := epoch.Add(time.Duration(n) * time.Minute)
		observe(h, "a", at, float64(n), 0, 0)
	}
	c := h.Chart(shop, []finding.Place{order})
	if covered := time.Duration(len(c.Count)) * c.Step; covered < span || len(c.Count) > slots {
		t.Errorf("%d values, %v", len(c.Count), covered)
	}
	before := -1.0
	for i, v := range c.Count {
		begins := c.Start.Add(time.Duration(i) * c.Step).Sub(epoch).Minutes()
		if math.IsNaN(v) || v <= before || v < begins || v > begins+c.Step.Minutes() {
			t.Fatalf("value %d, of minute %v on, is %v after %v", i, begins, v, before)
		}
		before = v
	}
}

func TestBounds(t *testing.T) {
	h := New(Config{MaxInstances: 3, MaxGroups: 4, MaxSeries: 5, MaxOrigins: 2})
	for n := range 5 {
		for i := range 10 {
			at := epoch.Add(time.Duration(n) * time.Minute)
			resource := pairs{"service.name", fmt.Sprint("s", i), "service.instance.id", "a"}.get
			for k := range 10 {
				p := order
				p.Function = fmt.Sprint("f", k)
				h.Observe(finding.Point{Metric: telemetry.StackCount, Resource: resource, Attributes: signature(p), At: at, Value: 1}, at)
				h.ObserveOrigin(finding.Service{Name: fmt.Sprint("s", i)}, Origin{Place: p, At: at}, at)
			}
		}
	}
	if len(h.services) != 3 || h.instances != 3 || h.groups != 4 || h.series > 5 || h.origins != 2 || h.Dropped().Beyond == 0 {
		t.Errorf("%d services, %d instances, %d groups, %d series, %d origins, %v", len(h.services), h.instances, h.groups, h.series, h.origins, h.Dropped())
	}
	// Sweep subtracts what it deletes.
	h.Sweep(epoch.Add(8 * 24 * time.Hour))
	if len(h.services) != 0 || h.instances != 0 || h.groups != 0 || h.series != 0 || h.origins != 0 {
		t.Errorf("%d services, %d instances, %d groups, %d series, %d origins are left", len(h.services), h.instances, h.groups, h.series, h.origins)
	}
}

func TestImpossiblePointsAreDropped(t *testing.T) {
	h := New(Config{})
	observe(h, "a", epoch, 3, 0, 0)
	h.Observe(finding.Point{Metric: telemetry.GoroutineCount, Resource: pairs{"service.name", "shop"}.get, At: epoch.Add(time.Hour), Value: 1}, epoch)
	h.Observe(finding.Point{Metric: telemetry.GoroutineCount, Resource: pairs{"service.name", "shop"}.get, At: epoch, Value: math.NaN()}, epoch)
	if s := only(t, h); h.Dropped().Invalid != 2 || s.Last.Sub(epoch) > time.Second {
		t.Errorf("%v, last data %v", h.Dropped(), s.Last)
	}
}

func TestReasonOfAFailedScrape(t *testing.T) {
	h := New(Config{})
	resource := pairs{"service.name", "shop", "service.instance.id", "a", "server.address", "10.0.0.5", "server.port", "6060"}.get
	observe := func(minute int, up float64, failures map[string]float64) {
		at := epoch.Add(time.Duration(minute) * time.Minute)
		h.Observe(finding.Point{Metric: telemetry.ScrapeUp, Resource: resource, At: at, Value: up}, at)
		for kind, n := range failures {
			h.Observe(finding.Point{Metric: "goroutine_scrape_failures_total", Resource: resource, Attributes: pairs{"error_type", kind}.get, At: at, Value: n}, at)
		}
	}
	observe(0, 1, map[string]float64{"timeout": 7, "connection": 0})
	observe(1, 0, map[string]float64{"timeout": 7, "connection": 1})
	observe(2, 0, map[string]float64{"timeout": 7, "connection": 2})
	want := Instance{
		Name: "a", Address: "10.0.0.5:6060", First: epoch, Last: epoch.Add(2 * time.Minute), Scraped: true, Since: epoch.Add(time.Minute),
		Reason: "connection", Failed: epoch.Add(2 * time.Minute), Failures: 9,
	}
	if diff := cmp.Diff([]Instance{want}, only(t, h).Instances); diff != "" {
		t.Error(diff)
	}
}

func TestOriginOfALeakComesFirst(t *testing.T) {
	h := New(Config{})
	moved := order
	moved.Line = 91 // by the next version
	for i, o := range []Origin{
		{Place: order, Caught: caughtLeaked, Text: "seen"},
		{Place: moved, Caught: "siblings_only", Text: "guessed", Stacks: strings.Repeat("main.f(...)\n\t/f.go:1\n", 10_000)},
		{Place: order, Caught: "siblings_only", Text: "too late"},
	} {
		o.At = epoch.Add(time.Duration([]int{0, 2, 1}[i]) * time.Minute)
		h.ObserveOrigin(shop, o, epoch.Add(time.Hour))
	}
	var texts []string
	for _, o := range h.Origins(shop, []finding.Place{order}) {
		texts = append(texts, o.Text)
		if len(o.Stacks) > maxStacks || o.Stacks != "" && !strings.HasSuffix(o.Stacks, ":1\n") {
			t.Errorf("stacks of %d bytes", len(o.Stacks))
		}
	}
	if got := strings.Join(texts, ", "); got != "seen, guessed" {
		t.Error(got)
	}
}

// TestRestart checks that a restored History has the same content, and continues.
func TestRestart(t *testing.T) {
	h := New(Config{})
	for n := range 90 {
		at := epoch.Add(time.Duration(n) * time.Minute)
		observe(h, "a", at, float64(n), float64(n/2), float64(n/9))
		observe(h, "b", at.Add(20*time.Second), 1, 0, 0)
		h.Observe(finding.Point{Metric: telemetry.ScrapeUp, Resource: pairs{"service.name", "shop", "service.instance.id", "a"}.get, At: at, Value: 1}, at)
		h.Observe(finding.Point{Metric: telemetry.ServiceInstanceCount, Resource: pairs{"service.name", "shop"}.get, At: at, Value: 2}, at)
	}
	for _, errorType := range []string{"timeout", "connection"} {
		h.Observe(finding.Point{
			Metric: "goroutine_scrape_failures_total", Resource: pairs{"service.name", "shop", "service.instance.id", "a"}.get,
			Attributes: pairs{"error_type", errorType}.get, At: epoch.Add(time.Hour), Value: 3,
		}, epoch.Add(time.Hour))
	}
	h.ObserveOrigin(shop, Origin{Place: order, Text: "seen", Stacks: "x", Caught: caughtLeaked, At: epoch}, epoch.Add(time.Hour))
	data, err := h.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	again := h.Empty()
	if err := again.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	same := func() {
		t.Helper()
		places := []finding.Place{order}
		for _, diff := range []string{
			cmp.Diff(h.Services(), again.Services(), cmpopts.EquateNaNs()),
			cmp.Diff(h.Chart(shop, places), again.Chart(shop, places), cmpopts.EquateNaNs()),
			cmp.Diff(h.Origins(shop, places), again.Origins(shop, places), cmpopts.IgnoreUnexported(Origin{})),
		} {
			if diff != "" {
				t.Error(diff)
			}
		}
	}
	same()
	if h.series != again.series || h.groups != again.groups || h.instances != again.instances {
		t.Errorf("%d series, %d groups, %d instances after %d, %d, %d", again.series, again.groups, again.instances, h.series, h.groups, h.instances)
	}
	for n := 90; n < 100; n++ {
		observe(again, "a", epoch.Add(time.Duration(n)*time.Minute), float64(n), 0, 0)
	}
	if before, after := len(h.Chart(shop, []finding.Place{order}).Count), len(again.Chart(shop, []finding.Place{order}).Count); after <= before {
		t.Errorf("%d values after %d", after, before)
	}
}

// TestChartOfEntryAndLine checks that goroutines of an entry and at a line of that entry are in the
// chart once.
func TestChartOfEntryAndLine(t *testing.T) {
	h := New(Config{})
	entry := finding.Place{Entry: order.Entry}
	for n := range 5 {
		at := epoch.Add(time.Duration(n) * time.Minute)
		observe(h, "a", at, 3, 2, 0)
		h.Observe(finding.Point{
			Metric: telemetry.EntryCount, At: at, Value: 4,
			Resource: pairs{"service.name", "shop", "service.instance.id", "a"}.get, Attributes: pairs{telemetry.AttrEntry, order.Entry}.get,
		}, at)
	}
	for _, places := range [][]finding.Place{{order, entry}, {entry}, {order}} {
		want := 4.0
		if len(places) == 1 && places[0] == order {
			want = 3
		}
		c := h.Chart(shop, places)
		if n := c.Count[len(c.Count)-1]; n != want {
			t.Errorf("%v: %v goroutines, want %v", places, n, want)
		}
	}
}
