package finding

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// endings are the counters of flags that have ended, one of them n times.
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

// life is what happens to a leak, and what is told of it.
type life struct {
	name string
	run  func(r *rig)
	want string
	// status and text are those of the finding in the end.
	status Status
	text   string
}

func lives() []life {
	return []life{
		{"it leaks", func(r *rig) {
			r.leak(leaking("a", "b1"), 41)
		}, "detected", Open, "91 goroutines older than 10 min at order.go:88, none has left, 60 more each hour, in version b1"},
		{"it becomes more and less certain", func(r *rig) {
			p := leaking("a", "b1")
			for _, p.severity = range []float64{1, 2, 3, 2} {
				r.minute(nil, p)
			}
		}, "detected raised raised lowered", Open, "50 goroutines older than 10 min at order.go:88, none has left, 60 more each hour, in version b1"},
		{"they leave", func(r *rig) {
			p := leaking("a", "b1")
			p.more = endings(Left, 0)
			p = r.leak(p, 5)
			p.severity, p.leaked, p.more = 0, 0, endings(Left, 1)
			r.minute(nil, p)
		}, "detected ended:left", Over, "goroutines at order.go:88 gathered, in version b1, half of them have left"},
		{"why is told a minute later", func(r *rig) {
			p := leaking("a", "b1")
			p.more = endings(Slowed, 0)
			p = r.leak(p, 5)
			p.severity = 0
			r.minute(nil, p)
			p.more = endings(Slowed, 1)
			r.minute(nil, p)
		}, "detected ended:slowed", Over, "goroutines at order.go:88 gathered, in version b1, no more have come for as long as growth is believed"},
		{"nobody tells why", func(r *rig) {
			p := r.leak(leaking("a", "b1"), 5)
			p.severity = 0
			r.minute(nil, p)
			r.minute(nil, p)
		}, "detected ended:", Over, "goroutines at order.go:88 gathered, in version b1, the detector does not flag them any more"},
		{"it is restarted", func(r *rig) {
			r.leak(leaking("a", "b1"), 30)
			p := r.healthy("a", "b1")
			for range 30 {
				r.minute(nil, p)
			}
		}, "detected", Waiting, "goroutines at order.go:88 gathered, in version b1, not seen since its processes have gone"},
		{"it is restarted, and leaks again", func(r *rig) {
			r.leak(leaking("a", "b1"), 30)
			p := r.healthy("a", "b1")
			r.minute(nil, p)
			p.severity, p.rate = 2, 60
			r.leak(p, 10)
		}, "detected", Open, "10 goroutines older than 10 min at order.go:88, none has left, 60 more each hour, in version b1"},
		{"it is restarted, and not seen for a day", func(r *rig) {
			r.leak(leaking("a", "b1"), 30)
			p := r.healthy("a", "b1")
			for range 25 * 60 {
				r.minute(nil, p)
			}
		}, "detected ended:process_gone", Over, "goroutines at order.go:88 gathered, in version b1, their processes are gone and nothing has shown them since"},
		{"all data is missing", func(r *rig) {
			r.leak(leaking("a", "b1"), 30)
			r.now = r.now.Add(23 * time.Hour)
			r.deliver(nil)
		}, "detected", Open, "80 goroutines older than 10 min at order.go:88, none has left, 60 more each hour, in version b1"},
		{"all data is missing for too long", func(r *rig) {
			r.leak(leaking("a", "b1"), 30)
			r.now = r.now.Add(25 * time.Hour)
			r.deliver(nil)
		}, "detected ended:no_data", Over, "goroutines at order.go:88 gathered, in version b1, nothing has come of them for too long"},
		{"the detector has forgotten it", func(r *rig) {
			p := r.leak(leaking("a", "b1"), 30)
			p.severity = -1
			for range 25 * 60 {
				r.minute(nil, p)
			}
		}, "detected ended:no_data", Over, "goroutines at order.go:88 gathered, in version b1, nothing has come of them for too long"},
		{"it is proved in a process that goes", func(r *rig) {
			p, q := leaking("a", "b1"), leaking("b", "b1")
			p.severity = 3
			r.minute(nil, p, q)
			for range 30 {
				r.minute(nil, q)
			}
		}, "detected", Open, "50 goroutines older than 10 min at order.go:88, none has left, 60 more each hour, in version b1"},
	}
}

func TestLives(t *testing.T) {
	for _, l := range append(lives(), deploys()...) {
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

// TestAnyTransport plays every life with its points in another order, some of them twice,
// with the names of Prometheus, and with a restart after each batch. Nothing differs.
func TestAnyTransport(t *testing.T) {
	for i, l := range append(lives(), deploys()...) {
		plain := newRig(t, Config{})
		l.run(plain)
		for name, spoil := range map[string]func(*rig) func([]Point) []Point{
			"shuffled":   func(*rig) func([]Point) []Point { return shuffled(uint64(i)) },
			"prometheus": func(*rig) func([]Point) []Point { return asPrometheus },
			"restarted":  restarting,
		} {
			t.Run(l.name+", "+name, func(t *testing.T) {
				r := newRig(t, Config{})
				r.spoil = spoil(r)
				l.run(r)
				if diff := cmp.Diff(plain.changes, r.changes); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(plain.book.Findings(), r.book.Findings()); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// restarting has a new Book take over before each tenth batch.
func restarting(r *rig) func([]Point) []Point {
	batches := 0
	return func(points []Point) []Point {
		if batches++; batches%10 == 0 {
			state, err := r.book.MarshalBinary()
			if err != nil {
				r.t.Fatal(err)
			}
			r.book = New(Config{})
			if err := r.book.UnmarshalBinary(state); err != nil {
				r.t.Fatal(err)
			}
		}
		return points
	}
}

// TestPlaces has one finding in two lines of two instances.
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

// TestTheWholeCounts takes what the service as a whole shows: more than its instances do.
func TestTheWholeCounts(t *testing.T) {
	r := newRig(t, Config{})
	r.minute(&verdict{2, 91, 12, 3}, leaking("a", "b1"), r.healthy("b", "b1"), r.healthy("c", "b1"))
	f := r.only()
	if got := fmt.Sprint(f.Count, f.PerHour, f.Instances, f.Of, f.Head.Line); got != "91 60 3 3 88" {
		t.Error(got)
	}
	if f.Acquittal != "half of them leave (46), or none comes for a day; with their goroutines gone, ten that do not come (10 min at this pace)" {
		t.Error(f.Acquittal)
	}
}

// TestSuspicionAfterADeploy has a new process suspected, then not for a while, then probable. The
// leak that its predecessor has shown goes on.
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
