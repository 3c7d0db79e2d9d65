package origin

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Frames of a service, of a dependency, and of the standard library.
var (
	checkout   = stack.Frame{Function: "example.com/shop.checkout", File: "/src/shop/checkout.go", Line: 10}
	refund     = stack.Frame{Function: "example.com/shop.refund", File: "/src/shop/refund.go", Line: 20}
	background = stack.Frame{Function: "example.com/shop.background", File: "/src/shop/background.go", Line: 30}
	closeAll   = stack.Frame{Function: "example.com/shop.(*Shop).Close", File: "/src/shop/shop.go", Line: 40}
	driver     = stack.Frame{Function: "example.org/db.Open", File: "/home/gopher/go/pkg/mod/example.org/db@v1.2.3/db.go", Line: 50}
	serve      = stack.Frame{Function: "net/http.(*conn).serve", File: "/usr/local/go/src/net/http/server.go", Line: 60}
	cancelCtx  = stack.Frame{Function: "context.(*cancelCtx).cancel", File: "/usr/local/go/src/context/context.go", Line: 70}
	cancelFunc = stack.Frame{Function: "context.WithCancel.func1", File: "/usr/local/go/src/context/context.go", Line: 80}
	chansend   = stack.Frame{Function: "runtime.chansend1", File: "/usr/local/go/src/runtime/chan.go", Line: 90}
)

const work = "example.com/shop.work"

var waiting = stack.Signature{ID: 7, State: stack.StateChanReceive, Entry: work, Blamed: stack.Frame{Function: work, Line: 5}}

// lives returns n lives of d each.
func lives(n int, d time.Duration) (l exectrace.Lifetimes) {
	for range n {
		l.Add(d)
	}
	return l
}

// stuck returns n goroutines of age d that wait where the group does.
func stuck(n int, d time.Duration) (all []exectrace.Alive) {
	for i := range n {
		all = append(all, exectrace.Alive{ID: uint64(100 + i), Age: d})
	}
	return all
}

// started returns the start of goroutines of the entry by these calls.
func started(born int, ended exectrace.Lifetimes, alive []exectrace.Alive, creator ...stack.Frame) exectrace.Start {
	return exectrace.Start{Entry: work, Creator: creator, Born: born, Ended: ended, Alive: alive}
}

// seen returns the origins of a trace of a second with these starts.
func seen(starts ...exectrace.Start) *exectrace.Origins {
	return &exectrace.Origins{
		Traced: time.Second, StandardLibrary: "/usr/local/go/src/", Starts: starts, Groups: make([]exectrace.Waiting, 1),
	}
}

func concluded(traces ...*exectrace.Origins) Origin {
	return Conclude(Subjects{Groups: []Subject{{Signature: waiting}}}, traces)[0]
}

func TestCreators(t *testing.T) {
	const ms = time.Millisecond
	other := func(entry string, creator ...stack.Frame) exectrace.Start {
		return exectrace.Start{Entry: entry, Creator: creator, Born: 1}
	}
	byDriver := func(own ...stack.Frame) exectrace.Start {
		return started(10, lives(10, ms), nil, append([]stack.Frame{driver}, own...)...)
	}
	for _, tc := range []struct {
		name   string
		starts []exectrace.Start
		caught Caught
		own    []stack.Frame
		shares []float64
	}{
		{name: "nothing was started", caught: NotCaught},
		{
			name:   "a leaked birth",
			starts: []exectrace.Start{started(10, lives(8, ms), stuck(2, 100*ms), checkout, serve)},
			caught: LeakedBirth, own: []stack.Frame{checkout}, shares: []float64{1},
		},
		{
			name:   "young ones are not told from those that leak",
			starts: []exectrace.Start{started(10, lives(8, ms), stuck(2, 2*ms), checkout, serve)},
			caught: SiblingsOnly, own: []stack.Frame{checkout}, shares: []float64{1},
		},
		{
			name: "a line of which none has ended is measured by the others",
			starts: []exectrace.Start{
				started(2, lives(0, 0), stuck(2, 2*ms), refund, serve),
				started(8, lives(8, ms), nil, checkout, serve),
			},
			caught: SiblingsOnly, own: []stack.Frame{checkout, refund}, shares: []float64{0.8, 0.2},
		},
		{
			name: "only those that leak count",
			starts: []exectrace.Start{
				started(90, lives(90, ms), nil, checkout, serve),
				started(10, lives(7, ms), stuck(3, 100*ms), refund, serve),
			},
			caught: LeakedBirth, own: []stack.Frame{refund}, shares: []float64{1},
		},
		{
			name:   "a library that starts them for one caller",
			starts: []exectrace.Start{byDriver(checkout, serve)},
			caught: NotCaught,
		},
		{
			name:   "a library that starts them for two",
			starts: []exectrace.Start{byDriver(checkout, serve), byDriver(refund, serve)},
			caught: SiblingsOnly, own: []stack.Frame{checkout, refund}, shares: []float64{0.5, 0.5},
		},
		{
			name:   "a library of which one that leaks was caught",
			starts: []exectrace.Start{started(1, lives(0, 0), stuck(1, ms), driver, checkout, serve), byDriver(refund, serve)},
			caught: SiblingsOnly, own: []stack.Frame{refund, checkout}, shares: []float64{10. / 11, 1. / 11},
		},
		{
			name:   "none of the stack is the service's own",
			starts: []exectrace.Start{started(3, lives(0, 0), stuck(3, ms), serve)},
			caught: LeakedBirth, own: []stack.Frame{{}}, shares: []float64{1},
		},
		{
			name: "the creator's creator is",
			starts: []exectrace.Start{{
				Entry: work, Creator: []stack.Frame{serve}, Born: 3, Alive: stuck(3, ms),
				Ancestors: [][]stack.Frame{{driver, serve}, {serve, refund, checkout}},
			}},
			caught: LeakedBirth, own: []stack.Frame{refund}, shares: []float64{1},
		},
		{
			name: "a launcher is not the reason",
			starts: []exectrace.Start{
				started(3, lives(0, 0), stuck(3, ms), background, checkout, serve),
				other("example.com/shop.report", background, refund, serve),
			},
			caught: LeakedBirth, own: []stack.Frame{checkout}, shares: []float64{1},
		},
		{
			name: "what always starts the same is no launcher",
			starts: []exectrace.Start{
				started(3, lives(0, 0), stuck(3, ms), background, checkout, serve),
				started(1, lives(1, ms/4), nil, background, refund, serve),
			},
			caught: LeakedBirth, own: []stack.Frame{background}, shares: []float64{1},
		},
		{
			name:   "a timer",
			starts: []exectrace.Start{{Entry: work, Launch: exectrace.ByTimer, Born: 3, Alive: stuck(3, ms)}},
			caught: LeakedBirth, own: []stack.Frame{{}}, shares: []float64{1},
		},
		{
			name: "three are told of four",
			starts: []exectrace.Start{
				started(1, lives(0, 0), stuck(1, ms), checkout), started(4, lives(0, 0), stuck(4, ms), refund),
				started(2, lives(0, 0), stuck(2, ms), closeAll), started(3, lives(0, 0), stuck(3, ms), background),
			},
			caught: LeakedBirth, own: []stack.Frame{refund, background, closeAll}, shares: []float64{0.4, 0.3, 0.2},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := concluded(seen(tc.starts...))
			if o.Caught != tc.caught || Known([]Origin{o}) != (tc.caught == LeakedBirth) {
				t.Errorf("caught %s", o.Caught)
			}
			var own []stack.Frame
			var shares []float64
			for _, c := range o.Creators {
				own, shares = append(own, c.Own), append(shares, c.Share)
				if (c.Launch == exectrace.ByTimer) != (len(c.Stack) == 0) {
					t.Errorf("%+v", c)
				}
			}
			if diff := cmp.Diff(tc.own, own); diff != "" {
				t.Errorf("own lines (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(tc.shares, shares); diff != "" {
				t.Errorf("shares (-want +got)\n%s", diff)
			}
		})
	}
}

func TestTracesAddUp(t *testing.T) {
	const ms = time.Millisecond
	o := concluded(
		seen(started(50, lives(50, ms), nil, checkout, serve)),
		seen(started(50, lives(49, 2*ms), stuck(1, 100*ms), checkout, serve)),
	)
	if o.Caught != LeakedBirth || o.Births != 100 || o.Leaked != 1 || o.Share() != 0.01 || o.Traced != 2*time.Second {
		t.Errorf("%+v", o)
	}
	if p := o.Lifetimes.Quantile(0.5); o.Lifetimes.Count() != 99 || p < ms || p > 2*ms {
		t.Errorf("%d lives, half of them below %v", o.Lifetimes.Count(), p)
	}
	if Known(nil) {
		t.Error("all is known before anything was read")
	}
	if none := concluded(); none.Share() != 0 || none.Caught != NotCaught {
		t.Errorf("%+v", none)
	}
}

func TestEntries(t *testing.T) {
	trace := seen(
		started(10, lives(8, time.Millisecond), stuck(2, time.Second), checkout, serve),
		exectrace.Start{Entry: "example.com/shop.other", Creator: []stack.Frame{refund}, Born: 5, Alive: stuck(5, time.Second)},
	)
	trace.Groups = nil
	origins := Conclude(Subjects{Entries: []Subject{
		{Signature: stack.Signature{Entry: work}}, {Signature: stack.Signature{Entry: "example.com/shop.absent"}},
	}}, []*exectrace.Origins{trace})
	if len(origins) != 2 || origins[0].Caught != LeakedBirth || origins[0].Leaked != 2 || origins[0].Creators[0].Own != checkout ||
		origins[0].Class != mistake.LoopWithoutExit || origins[1].Caught != NotCaught || Known(origins) {
		t.Errorf("%+v", origins)
	}
}

// TestSessions starts sessions that outlive the trace, at a line where others leak.
func TestSessions(t *testing.T) {
	for _, tc := range []struct {
		perHour float64
		born    int
		want    Caught
	}{
		{0, 5, LeakedBirth}, // nothing is known of the pace
		{18_000, 5, LeakedBirth},
		{3600, 5, LeakedBirth},
		{600, 5, SiblingsOnly},
		{600, 1, LeakedBirth},
		{1, 1, SiblingsOnly},
	} {
		trace := seen(started(tc.born, lives(0, 0), stuck(tc.born, 500*time.Millisecond), checkout, serve))
		subject := Subject{Signature: waiting, PerHour: tc.perHour}
		o := Conclude(Subjects{Groups: []Subject{subject}}, []*exectrace.Origins{trace})[0]
		if o.Caught != tc.want || len(o.Creators) != 1 || (o.Leaked > 0) != (tc.want == LeakedBirth) {
			t.Errorf("%d born, %v an hour: %+v", tc.born, tc.perHour, o)
		}
	}
}

func TestWakers(t *testing.T) {
	const tick = 3232
	trace := seen()
	trace.Groups[0].Wakes = []exectrace.Wake{
		{Count: tick, Last: 10},                            // a timer
		{Waker: []stack.Frame{serve}, Count: 50, Last: 50}, // the network
		{Waker: []stack.Frame{chansend, refund, serve}, Count: 500},
		{Waker: []stack.Frame{chansend, checkout, serve}, Count: 118, Last: 20},
		{Waker: []stack.Frame{cancelCtx, cancelFunc, closeAll, checkout}, Count: 20, Last: 20},
	}
	want := []Waker{
		{Stack: trace.Groups[0].Wakes[4].Waker, Own: closeAll, Call: cancelFunc.Function, Count: 40, Share: 0.2},
		{Stack: trace.Groups[0].Wakes[3].Waker, Own: checkout, Count: 20, Share: 0.1},
	}
	trace.Groups[0].Wakes[4].Last = 40
	trace.Groups[0].Wakes[0].Last = 90
	if diff := cmp.Diff(want, concluded(trace).Wakers); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestSameTracesGiveTheSameAnswer(t *testing.T) {
	trace := seen(
		started(1, lives(0, 0), stuck(1, time.Second), checkout), started(1, lives(0, 0), stuck(1, time.Second), refund),
		started(1, lives(0, 0), stuck(1, time.Second), closeAll), started(1, lives(0, 0), stuck(1, time.Second), background),
	)
	first := concluded(trace)
	for range 20 {
		if diff := cmp.Diff(first, concluded(trace), cmp.AllowUnexported(exectrace.Lifetimes{})); diff != "" {
			t.Fatal(diff)
		}
	}
}

// The trace that shows the most at work counts: in one of a second some have had nothing to do.
func TestServed(t *testing.T) {
	trace := func(older, served int) *exectrace.Origins {
		of := seen()
		of.Groups[0].Older, of.Groups[0].Served = older, served
		return of
	}
	if o := concluded(trace(10, 4), trace(11, 9), trace(12, 0)); o.Older != 11 || o.Served != 9 {
		t.Errorf("%d of %d", o.Served, o.Older)
	}
}
