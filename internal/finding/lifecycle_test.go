package finding

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// endings returns the counters of flags that have ended, n times for this reason.
func endings(reason EndReason, n float64) []Point {
	var points []Point
	for _, each := range endReasons() {
		value := 0.0
		if each == reason {
			value = n
		}
		points = append(points, Point{
			Metric: telemetry.LeakEnded, Value: value, Attributes: attributes(telemetry.AttrLeakEndReason, string(each)),
		})
	}
	return points
}

// scenario is the life of a leak, with the expected changes.
type scenario struct {
	name string
	run  func(r *rig)
	want string
	// status and text are the status and evidence at the end.
	status Status
	text   string
}

func lifecycles() []scenario {
	return []scenario{
		{"leak", func(r *rig) {
			r.leak(leaking("a", "b1"), 41)
		}, "detected", Open, "91 goroutines older than 10 min at order.go:88, none has left, 60 more each hour, in version b1"},
		{"severity changes", func(r *rig) {
			p := leaking("a", "b1")
			for _, p.severity = range []float64{1, 2, 3, 2} {
				r.minute(nil, p)
			}
		}, "detected raised raised lowered", Open, "50 goroutines older than 10 min at order.go:88, none has left, 60 more each hour, in version b1"},
		{"half of them leave", func(r *rig) {
			p := leaking("a", "b1")
			p.more = endings(Left, 0)
			p = r.leak(p, 5)
			p.severity, p.leaked, p.more = 0, 0, endings(Left, 1)
			r.minute(nil, p)
		}, "detected ended:left", Over, "goroutines at order.go:88 gathered, in version b1, half of them have left"},
		{"the reason comes a minute later", func(r *rig) {
			p := leaking("a", "b1")
			p.more = endings(Slowed, 0)
			p = r.leak(p, 5)
			p.severity = 0
			r.minute(nil, p)
			p.more = endings(Slowed, 1)
			r.minute(nil, p)
		}, "detected ended:slowed", Over, "goroutines at order.go:88 gathered, in version b1, they no longer gather as leaked ones do"},
		{"without a reason", func(r *rig) {
			p := r.leak(leaking("a", "b1"), 5)
			p.severity = 0
			r.minute(nil, p)
			r.minute(nil, p)
		}, "detected ended:", Over, "goroutines at order.go:88 gathered, in version b1, the detector no longer flags them"},
		{"restart", func(r *rig) {
			r.leak(leaking("a", "b1"), 30)
			p := r.healthy("a", "b1")
			for range 30 {
				r.minute(nil, p)
			}
		}, "detected", Waiting, "goroutines at order.go:88 gathered, in version b1, not seen since its processes are gone"},
		{"restart, leaks again", func(r *rig) {
			r.leak(leaking("a", "b1"), 30)
			p := r.healthy("a", "b1")
			r.minute(nil, p)
			p.severity, p.rate = 2, 60
			r.leak(p, 10)
		}, "detected", Open, "10 goroutines older than 10 min at order.go:88, none has left, 60 more each hour, in version b1"},
		{"restart, not seen for a day", func(r *rig) {
			r.leak(leaking("a", "b1"), 30)
			p := r.healthy("a", "b1")
			for range 25 * 60 {
				r.minute(nil, p)
			}
		}, "detected ended:process_gone", Over, "goroutines at order.go:88 gathered, in version b1, their processes are gone and they have not been seen since"},
		{"no data for a while", func(r *rig) {
			r.leak(leaking("a", "b1"), 30)
			r.now = r.now.Add(23 * time.Hour)
			r.deliver(nil)
		}, "detected", Open, "80 goroutines older than 10 min at order.go:88, none has left, 60 more each hour, in version b1"},
		{"no data for too long", func(r *rig) {
			r.leak(leaking("a", "b1"), 30)
			r.now = r.now.Add(25 * time.Hour)
			r.deliver(nil)
		}, "detected ended:no_data", Over, "goroutines at order.go:88 gathered, in version b1, no data has come for too long"},
		{"the detector sends nothing", func(r *rig) {
			p := r.leak(leaking("a", "b1"), 30)
			p.severity = -1
			for range 25 * 60 {
				r.minute(nil, p)
			}
		}, "detected ended:no_data", Over, "goroutines at order.go:88 gathered, in version b1, no data has come for too long"},
		{"confirmed in a process that goes", func(r *rig) {
			p, q := leaking("a", "b1"), leaking("b", "b1")
			p.severity = 3
			r.minute(nil, p, q)
			for range 30 {
				r.minute(nil, q)
			}
		}, "detected", Open, "50 goroutines older than 10 min at order.go:88, none has left, 60 more each hour, in version b1"},
	}
}

func TestLifecycles(t *testing.T) {
	for _, l := range append(lifecycles(), deploys()...) {
		t.Run(l.name, func(t *testing.T) {
			r := newRig(t, Config{})
			l.run(r)
			if got := r.kinds(); got != l.want {
				t.Errorf("changes are %q, want %q", got, l.want)
			}
			if f := r.only(); f.Status != l.status || f.Evidence != l.text {
				t.Errorf("%s: %s", f.Status, f.Evidence)
			}
		})
	}
}

// TestAnyTransport checks that no result depends on the order of points, on duplicates, on the names
// of Prometheus, or on restarts.
func TestAnyTransport(t *testing.T) {
	for i, l := range append(lifecycles(), deploys()...) {
		plain := newRig(t, Config{})
		l.run(plain)
		for name, transport := range map[string]func(*rig) func([]Point) []Point{
			"shuffled":   func(*rig) func([]Point) []Point { return shuffled(uint64(i)) },
			"prometheus": func(*rig) func([]Point) []Point { return asPrometheus },
			"restarted":  restarting,
		} {
			t.Run(l.name+", "+name, func(t *testing.T) {
				r := newRig(t, Config{})
				r.transport = transport(r)
				l.run(r)
				if diff := cmp.Diff(plain.changes, r.changes); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(plain.tracker.Findings(), r.tracker.Findings()); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// restarting restores the state in a new Tracker before each tenth batch.
func restarting(r *rig) func([]Point) []Point {
	batches := 0
	return func(points []Point) []Point {
		if batches++; batches%10 == 0 {
			state, err := r.tracker.MarshalBinary()
			if err != nil {
				r.t.Fatal(err)
			}
			r.tracker = NewTracker(Config{})
			if err := r.tracker.UnmarshalBinary(state); err != nil {
				r.t.Fatal(err)
			}
		}
		return points
	}
}

// TestPlaces has one finding at two lines, each in one instance.
func TestPlaces(t *testing.T) {
	r := newRig(t, Config{})
	p, q := leaking("a", "b1"), leaking("b", "b1")
	q.at = order
	q.at.Line, q.leaked = 90, 41
	r.minute(nil, p, q, r.healthy("c", "b1"))
	f := r.only()
	want := "91 goroutines older than 10 min at order.go:88 and 1 other place, none has left, 120 more each hour, in 2 of 3 instances, in version b1"
	if f.Evidence != want {
		t.Errorf("%s", f.Evidence)
	}
	if diff := cmp.Diff([]Instance{{"a", "b1", 50}, {"b", "b1", 41}}, f.Worst); diff != "" {
		t.Error(diff)
	}
}

// TestTheWholeCounts has a verdict on the service as a whole with more goroutines than the instances.
func TestTheWholeCounts(t *testing.T) {
	r := newRig(t, Config{})
	r.minute(&verdict{2, 91, 12, 3}, leaking("a", "b1"), r.healthy("b", "b1"), r.healthy("c", "b1"))
	f := r.only()
	if got := fmt.Sprint(f.Count, f.PerHour, f.Instances, f.Of, f.Head.Line); got != "91 60 3 3 88" {
		t.Error(got)
	}
	if f.Acquittal != "half of them leave (46), or none comes for a day; after a deploy, none comes in 10 min, where ten are expected" {
		t.Error(f.Acquittal)
	}
}

// TestSuspicionAfterADeploy checks that a leak stays open after a deploy while the new process is
// suspected, then not flagged, then probable.
func TestSuspicionAfterADeploy(t *testing.T) {
	r := newRig(t, Config{})
	r.leak(leaking("a", "b1"), 3)
	p := r.healthy("a", "b2")
	p.rate, p.more = 60, endings(Slowed, 0)
	p = r.leak(p, 10)
	p.severity = 1
	p = r.leak(p, 5)
	p.severity, p.more = 0, endings(Slowed, 1)
	p = r.leak(p, 5)
	if f := r.only(); f.Status != Waiting {
		t.Error(f.Status)
	}
	p.severity = 2
	r.leak(p, 3)
	if got := r.kinds(); got != "detected" {
		t.Error(got)
	}
}
