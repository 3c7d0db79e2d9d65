package finding

import (
	"testing"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// aged returns a point of the census: n old goroutines at a place.
func aged(place Place, band string, n float64) Point {
	pairs := append(place.pairs(""), telemetry.AttrSignature, "23674ceb13919c2c", telemetry.AttrAgeMin, band)
	metric := telemetry.StackAgedCount
	if place.Function == "" {
		metric = telemetry.EntryAgedCount
	}
	return Point{Metric: metric, Attributes: attributes(pairs...), Value: n}
}

// otherGroups is a point of the census for the groups that it does not name.
var otherGroups = Point{Metric: telemetry.StackAgedCount, Attributes: attributes(telemetry.AttrSignature, "other", telemetry.AttrAgeMin, "600"), Value: 3}

// inCensus is a point of the census for another group. It shows that the process sends a census.
var inCensus = aged(Place{State: "select", Function: "main.pool", Entry: "main.pool"}, "600", 40)

// TestCensus deploys a version whose process sends a census. Only the census can show that the
// leak is absent.
func TestCensus(t *testing.T) {
	moved := order
	moved.Line, moved.File = 97, "/build/shop/order.go"
	closure := Place{State: "select", Function: "main.run.func2.1", Entry: "main.run.func2.1", File: "/src/main.go", Line: 9}
	renumbered := closure
	renumbered.Function, renumbered.Entry = "main.run.func3", "main.run.func3"
	entry := Place{Entry: "main.poll", EntryFile: "/src/poll.go"}
	for _, test := range []struct {
		name   string
		place  Place
		census []Point
		want   string
	}{
		{"no goroutine", order, []Point{inCensus, aged(order, "600", 0)}, "detected closed_by_version"},
		{"group not named", order, []Point{inCensus}, "detected closed_by_version"},
		{"one goroutine", order, []Point{inCensus, aged(order, "600", 1)}, "detected"},
		{"one goroutine, older", order, []Point{inCensus, aged(order, "600", 0), aged(order, "4800", 1)}, "detected"},
		{"one goroutine at another line", order, []Point{inCensus, aged(moved, "600", 1)}, "detected"},
		{"one goroutine in a closure with another number", closure, []Point{inCensus, aged(renumbered, "600", 1)}, "detected"},
		{"one goroutine that loops", entry, []Point{inCensus, aged(entry, "600", 1)}, "detected"},
		{"no goroutine that loops", entry, []Point{inCensus, aged(entry, "600", 0)}, "detected closed_by_version"},
		{"one goroutine, younger than leaked ones", order, []Point{inCensus, aged(order, "60", 1)}, "detected closed_by_version"},
		{"goroutines in groups that are not named", order, []Point{inCensus, otherGroups}, "detected"},
		{"no census", order, nil, "detected"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, Config{})
			p := leaking("a", "b1")
			p.at = test.place
			for range 60 {
				p.leaked++
				p.more = []Point{inCensus, aged(test.place, "600", p.leaked)}
				p = r.leak(p, 1)
			}
			q := r.healthy("a", "b2")
			q.more = test.census
			r.repeat(30, nil, q)
			if got := r.kinds(); got != test.want {
				t.Errorf("got %s, want %s: %s", got, test.want, r.only().Evidence)
			}
		})
	}
}

// TestPaceOfTheCensus checks that the pace is that of the census, if there is one. The count of the
// detector may rise by fifty at once when it detects goroutines that existed before.
func TestPaceOfTheCensus(t *testing.T) {
	r := newRig(t, Config{})
	p := leaking("a", "b1")
	for minute := range 60 {
		p.leaked++
		p.more = []Point{inCensus, aged(order, "600", p.leaked)}
		whole := verdict{2, p.leaked, 60, 1}
		if minute > 30 {
			whole.count += 50
		}
		p.births += 600
		r.minute(&whole, p)
	}
	for _, s := range r.tracker.services {
		if n := s.Records[leakID].Pace.events(); n < 32 || n > 64 {
			t.Errorf("%v events", n)
		}
	}
}

func TestGroups(t *testing.T) {
	for name, want := range map[string]string{
		"main.run.func2.1": "main.run.func", "main.run.func3": "main.run.func", "main.run.gowrap1": "main.run.gowrap",
		"main.run-range1": "main.run-range", "main.func2go": "main.funcgo", "main.run": "main.run", "main.(*T).f.deferwrap2": "main.(*T).f.deferwrap",
	} {
		if got := (Place{Function: name}).group(); got != "\x00"+want+"\x00" {
			t.Errorf("%s is %q", name, got)
		}
	}
}

// TestVerdictOnGoneProcesses closes a leak while the detector still counts processes that are gone.
// The leak can regress during the same verdict.
func TestVerdictOnGoneProcesses(t *testing.T) {
	for name, test := range map[string]struct {
		later []float64 // counts of the service after the deploy
		want  string
	}{
		"closed":    {[]float64{110, 110, 110, 60, 60, 10, 0, 0}, "detected closed_by_version"},
		"regressed": {[]float64{110, 110, 110, 60, 61, 62}, "detected closed_by_version regressed"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Config{})
			p := leaking("pod-1", "b1")
			for range 60 {
				p.leaked++
				p.births += 600
				p.more = []Point{inCensus, aged(order, "600", p.leaked)}
				r.minute(&verdict{2, p.leaked, 60, 1}, p)
			}
			q := r.healthy("pod-2", "b2")
			q.more = []Point{inCensus, aged(order, "600", 0)}
			for minute := range 10 * len(test.later) {
				q.births += 600
				r.minute(&verdict{2, test.later[minute/10], 60, 1}, q)
			}
			if got := r.kinds(); got != test.want {
				t.Errorf("%s, want %s: %s", got, test.want, r.only().Evidence)
			}
		})
	}
}
