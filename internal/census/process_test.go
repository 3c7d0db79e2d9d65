package census

import (
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// headcount returns a profile with the given numbers of goroutines of each kind.
func headcount(build string, counts ...int) *stack.Snapshot {
	s := &stack.Snapshot{Source: stack.SourceProfile, Build: build}
	for group, n := range counts {
		if n > 0 {
			s.Groups = append(s.Groups, stack.Group{Signature: kind(group), Count: n})
		}
	}
	return s
}

// TestNewProcessOfProfiles observes a target that serves only profiles.
func TestNewProcessOfProfiles(t *testing.T) {
	type look struct {
		reconnected bool
		snapshot    *stack.Snapshot
	}
	for _, test := range []struct {
		name  string
		looks []look // a minute apart
		want  bool   // of the last; the others are of one process
	}{
		{"the first", []look{{true, headcount("", 100)}}, false},
		{"most are gone behind a new connection", []look{{true, headcount("", 100)}, {true, headcount("", 20)}}, true},
		{"most are gone at the second of two looks", []look{{true, headcount("", 100)}, {false, headcount("", 110)}, {true, headcount("", 20)}}, true},
		{"most are gone from one of two lines", []look{{true, headcount("", 100, 10)}, {true, headcount("", 5, 30)}}, true},
		{"most are gone, same connection", []look{{true, headcount("", 100)}, {false, headcount("", 20)}}, false},
		{"few are gone behind a new connection", []look{{true, headcount("", 100)}, {true, headcount("", 60)}}, false},
		{"more came behind a new connection", []look{{true, headcount("", 100)}, {true, headcount("", 600)}}, false},
		{"all are elsewhere behind a new connection", []look{{true, headcount("", 100)}, {true, headcount("", 0, 0, 100)}}, true},
		{"a burst is over behind a new connection", []look{
			{true, headcount("", 0, 20)}, {true, headcount("", 1000, 20)}, {true, headcount("", 5, 20)},
		}, false},
		{"a burst is over behind a new connection, hours later", append(
			repeat(look{true, headcount("", 0, 20)}, 100), look{true, headcount("", 1000, 20)}, look{true, headcount("", 5, 20)},
		), false},
		{"residents that came late are gone behind a new connection", append(
			repeat(look{true, headcount("", 0, 20)}, 10), append(
				repeat(look{true, headcount("", 1000, 20)}, 30), look{true, headcount("", 5, 20)})...,
		), true},
		{"a new connection long before most are gone", []look{
			{true, headcount("", 100)}, {true, headcount("", 100)}, {false, headcount("", 20)},
		}, false},
		{"another build", []look{{true, headcount("a", 100)}, {true, headcount("b", 100)}}, true},
		{"another build, in between unknown", []look{{true, headcount("a", 100)}, {false, headcount("", 100)}, {true, headcount("b", 100)}}, true},
		{"another build on the disk, of a process that goes on", []look{{true, headcount("a", 100)}, {false, headcount("b", 100)}}, false},
		{"all are at another line of their entry", append(
			repeat(look{true, headcount("", 100)}, 100), look{true, headcount("", 0, 100)},
		), false},
		{"the same build", []look{{true, headcount("a", 100)}, {true, headcount("a", 100)}}, false},
		{"no goroutine", []look{{true, headcount("")}, {true, headcount("")}}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := New(10*time.Minute, 200)
			start := noon
			for i, l := range test.looks {
				if l.reconnected {
					c.Reconnected()
				}
				at := noon.Add(time.Duration(i) * time.Minute)
				r := c.Observe(l.snapshot, at)
				checkCounts(t, r)
				want := test.want && i == len(test.looks)-1
				if want {
					start = at
				}
				if r.Restarted != want || !r.Start.Equal(start) {
					t.Fatalf("look %d: restarted %v, since %v, want %v, since %v", i, r.Restarted, r.Start, want, start)
				}
			}
		})
	}
}

func repeat[T any](v T, n int) []T {
	var all []T
	for range n {
		all = append(all, v)
	}
	return all
}

// TestProfileEndsTheCensusOfTraces restarts a process while a profile replaces a trace: all ages
// are reset.
func TestProfileEndsTheCensusOfTraces(t *testing.T) {
	p, c := newSimulated(1, 1), New(time.Minute, 200)
	for range 50 {
		p.start(0)
	}
	c.Observe(p.snapshot(stack.SourceTrace), noon)
	r := c.Observe(p.snapshot(stack.SourceTrace), noon.Add(2*time.Minute))
	if n := groupTotals(r, kind(0)); n.Aged != 50 {
		t.Fatalf("before: %+v", n)
	}
	c.Reconnected()
	restarted := noon.Add(3 * time.Minute)
	if r = c.Observe(headcount("", 5), restarted); !r.Restarted {
		t.Fatal("not taken for another process")
	}
	again := newSimulated(2, 1)
	for range 8 {
		again.start(0)
	}
	r = c.Observe(again.snapshot(stack.SourceTrace), noon.Add(4*time.Minute))
	if n := groupTotals(r, kind(0)); n != (totals{Count: 8}) || r.Creations != 0 || r.Restarted || !r.Start.Equal(restarted) {
		t.Errorf("%+v, %d creations, restarted %v, since %v", n, r.Creations, r.Restarted, r.Start)
	}
}

// TestProfileInPlaceOfATraceDecidesNothing observes a single profile, while somebody else traces
// and all goroutines happen to be elsewhere, of a target that each scrape connects to anew.
func TestProfileInPlaceOfATraceDecidesNothing(t *testing.T) {
	p, c := newSimulated(1, 1), New(10*time.Minute, 200)
	for range 100 {
		p.start(0)
	}
	for minute := range 120 {
		c.Reconnected()
		c.Observe(p.snapshot(stack.SourceTrace), noon.Add(time.Duration(minute)*time.Minute))
	}
	c.Reconnected()
	if r := c.Observe(headcount("b", 0, 0, 100), noon.Add(2*time.Hour)); r.Restarted {
		t.Error("taken for another process")
	}
	r := c.Observe(p.snapshot(stack.SourceTrace), noon.Add(2*time.Hour+time.Minute))
	if n := groupTotals(r, kind(0)); n.Aged != 100 {
		t.Errorf("%d are aged, want 100", n.Aged)
	}
}

// TestBatchesThatBeginAnywhere simulates a program with cgo, in which batches of IDs do not start
// at multiples of 16.
func TestBatchesThatBeginAnywhere(t *testing.T) {
	c := New(10*time.Minute, 200)
	look := func(minute int, ids ...uint64) Report {
		s := &stack.Snapshot{
			Source: stack.SourceTrace, Procs: 4, HighestID: ids[len(ids)-1],
			Groups: []stack.Group{{Signature: kind(0), Count: len(ids)}},
		}
		for _, id := range ids {
			s.Goroutines = append(s.Goroutines, stack.Goroutine{ID: id})
		}
		return c.Observe(s, noon.Add(time.Duration(minute)*time.Minute))
	}
	look(0, 10, 106, 202, 298, 299, 300)
	if r := look(1, 10, 16, 17, 106, 112, 113, 202, 208, 209, 298, 299, 300, 301, 313); r.Restarted {
		t.Error("four Ps were taken for another process")
	}
}

// TestExitsOfUnlistedRowAreReportedOnce replaces the only listed row by another in one snapshot.
func TestExitsOfUnlistedRowAreReportedOnce(t *testing.T) {
	p, c := newSimulated(1, 1), New(time.Minute, 1)
	var first []uint64
	for range 10 {
		first = append(first, p.start(0))
	}
	for range 5 {
		p.start(2)
	}
	c.Observe(p.snapshot(stack.SourceTrace), noon)
	c.Observe(p.snapshot(stack.SourceTrace), noon.Add(2*time.Minute))
	for _, id := range first {
		delete(p.alive, id)
	}
	var exits, fresh int64
	for minute := range 30 {
		exits = 0
		for _, g := range c.Observe(p.snapshot(stack.SourceTrace), noon.Add(time.Duration(3+minute)*time.Minute)).Groups {
			n := totalsOf(g.Numbers)
			exits += n.Exits
			fresh += n.NewExits
		}
	}
	if exits != 10 || fresh != 10 {
		t.Errorf("10 have left: %d are reported, %d as new", exits, fresh)
	}
}

// TestNewConnectionIsForgottenByNeitherSource observes a profile between the new connection and
// the trace that shows the new process.
func TestNewConnectionIsForgottenByNeitherSource(t *testing.T) {
	p, c := newSimulated(1, 1), New(time.Minute, 200)
	for range 50 {
		p.start(0)
	}
	for id := range uint64(10) {
		delete(p.alive, 5*id+3)
	}
	c.Observe(p.snapshot(stack.SourceTrace), noon)
	c.Observe(p.snapshot(stack.SourceTrace), noon.Add(2*time.Minute))
	c.Reconnected()
	if r := c.Observe(headcount("", 45), noon.Add(3*time.Minute)); r.Restarted {
		t.Fatal("a profile in which few are gone was taken for another process")
	}
	clear(p.alive)
	p.alive[3] = 0
	if r := c.Observe(p.snapshot(stack.SourceTrace), noon.Add(4*time.Minute)); !r.Restarted {
		t.Error("the new connection was forgotten")
	}
}

// TestOwnProcessIsNeverReplaced observes all signs of a new process in the caller's own process.
func TestOwnProcessIsNeverReplaced(t *testing.T) {
	c := NewOwn(time.Minute, 200)
	c.Observe(headcount("a", 100), noon)
	c.Reconnected()
	if r := c.Observe(headcount("b", 1), noon.Add(time.Minute)); r.Restarted {
		t.Error("taken for another process by a profile")
	}
	p := newSimulated(1, 1)
	for range 400 {
		p.start(0)
	}
	c.Observe(p.snapshot(stack.SourceTrace), noon.Add(2*time.Minute))
	for id := range p.alive {
		p.alive[id] = 2
	}
	if r := c.Observe(p.snapshot(stack.SourceTrace), noon.Add(3*time.Minute)); r.Restarted {
		t.Error("taken for another process by a trace")
	}
}

// callback returns a group of callbacks from C, with the given exported function.
func callback(function string) stack.Signature {
	s, ok := stack.Read([]stack.Frame{{Function: "runtime.gopark"}, {Function: "runtime.chanrecv1"}, {Function: function, Line: 7}}, stack.Waiting)
	if !ok {
		panic("no signature")
	}
	s.FromC = true
	s.ID++ // as for C it is another group
	return s
}

// TestCallbacksFromCHaveNoAges observes a C thread whose callbacks share a goroutine ID.
func TestCallbacksFromCHaveNoAges(t *testing.T) {
	c := New(time.Minute, 200)
	a, b := callback("main.onEvent"), callback("main.onClose")
	look := func(minute int, groups ...stack.Signature) Report {
		s := &stack.Snapshot{Source: stack.SourceTrace, HighestID: 100, Procs: 1}
		for i, g := range groups {
			if g.Entry == "" { // the thread is in C
				s.Goroutines = append(s.Goroutines, stack.Goroutine{ID: uint64(20*i + 3), Group: stack.NoGroup})
				s.Stackless++
				continue
			}
			s.Groups = append(s.Groups, stack.Group{Signature: g, Count: 1})
			s.Goroutines = append(s.Goroutines, stack.Goroutine{ID: uint64(20*i + 3), Group: int32(len(s.Groups) - 1)})
		}
		r := c.Observe(s, noon.Add(time.Duration(minute)*time.Minute))
		if r.Restarted {
			t.Fatalf("minute %d: taken for another process", minute)
		}
		checkSums(t, r)
		return r
	}
	inC := stack.Signature{}
	look(0, a, inC, inC)
	var r Report
	for minute := range 20 {
		look(2*minute+1, a, b, inC)
		r = look(2*minute+2, b, a, a)
	}
	for _, s := range []stack.Signature{a, b} {
		if n := groupTotals(r, s); n.Count == 0 || n.Aged != 0 || n.Exits != 0 {
			t.Errorf("%s: %+v", s.Entry, n)
		}
	}
	// The threads end. No aged goroutine has exited.
	r = look(50)
	for _, g := range r.Groups {
		if n := totalsOf(g.Numbers); n.Exits != 0 {
			t.Errorf("%s: %d exits", g.Signature.Entry, n.Exits)
		}
	}
}
