package finding

import (
	"testing"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// TestEntryAndItsLine flags an entry and then its line in one finding, as if a leak was first seen by
// its entry. Both count the same goroutines.
func TestEntryAndItsLine(t *testing.T) {
	entry := Place{Entry: order.Entry, EntryFile: order.File}
	flagged := func(at Place, count, rate float64) []Point {
		var points []Point
		for metric, value := range map[string]float64{
			telemetry.LeakSeverity: 2, telemetry.LeakCount: count, telemetry.LeakGrowthRate: rate, telemetry.LeakExits: 2, telemetry.LeakAgeMin: 600,
		} {
			points = append(points, Point{Metric: metric, Attributes: attributes(at.pairs(leakID)...), Value: value})
		}
		return points
	}
	for _, census := range []bool{false, true} {
		r := newRig(t, Config{GoroutineLimit: 190})
		p := instance{name: "a", build: "b1", start: epoch, severity: -1, births: 1000}
		for n := 10.0; n <= 50; n++ {
			p.more = append(flagged(entry, n, 60), Point{Metric: telemetry.GoroutineCount, Value: n + 20})
			if n >= 30 {
				p.more = append(p.more, flagged(order, n-2, 58)...)
			}
			if census {
				p.more = append(p.more, aged(entry, "600", n), aged(order, "600", n-2))
			}
			r.minute(nil, p)
		}
		f := r.only()
		if f.Count != 50 || f.PerHour != 60 || f.Exits != 2 || f.Worst[0].Count != 50 {
			t.Errorf("census %v: %v goroutines, %v an hour, %v exits, %v", census, f.Count, f.PerHour, f.Exits, f.Worst)
		}
		if want := "50 goroutines older than 10 min at order.go:88, 2 have left, 60 more each hour, in version b1"; f.Evidence != want {
			t.Errorf("census %v: %s", census, f.Evidence)
		}
		if f.Limit.In.Minutes() != 120 {
			t.Errorf("census %v: limit in %v", census, f.Limit.In)
		}
		if n := r.tracker.services[Service{Name: "shop"}].Records[leakID].Pace.Arrivals; n < 49 || n > 50 {
			t.Errorf("census %v: %v arrivals", census, n)
		}
	}
}

// TestEarlierGoroutines checks that the evidence has the number of all old goroutines at the place, if
// the census says that there are many from before the growth.
func TestEarlierGoroutines(t *testing.T) {
	for all, want := range map[float64]string{
		1690: "51 goroutines older than 10 min at order.go:88, 1,690 with earlier ones, none has left, 60 more each hour, in version b1",
		53:   "51 goroutines older than 10 min at order.go:88, none has left, 60 more each hour, in version b1",
	} {
		elsewhere := order
		elsewhere.Line = 97
		r := newRig(t, Config{})
		p := leaking("a", "b1")
		p.more = []Point{inCensus, aged(order, "600", all-3), aged(order, "4800", 3), aged(elsewhere, "600", 20)}
		r.minute(nil, p)
		r.leak(p, 1)
		if f := r.only(); f.Evidence != want {
			t.Errorf("%v: %s", all, f.Evidence)
		}
	}
}
