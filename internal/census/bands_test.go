package census

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

func TestBounds(t *testing.T) {
	const m = time.Minute
	for _, test := range []struct {
		agedAfter time.Duration
		want      [Bands]time.Duration
	}{
		{10 * m, [Bands]time.Duration{10 * m, 80 * m, 320 * m, 640 * m}},
		{1, [Bands]time.Duration{1, 8, 32, 64}},
		{0, [Bands]time.Duration{1, 8, 32, 64}},
		{-m, [Bands]time.Duration{1, 8, 32, 64}},
		{math.MaxInt64, [Bands]time.Duration{math.MaxInt64 / 64, math.MaxInt64 / 64 * 8, math.MaxInt64 / 64 * 32, math.MaxInt64 / 64 * 64}},
	} {
		if got := Bounds(test.agedAfter); got != test.want {
			t.Errorf("%v: %v, want %v", test.agedAfter, got, test.want)
		}
	}
}

// TestLeakAmongSessions simulates a leak with the same signature as sessions of an hour. The
// sessions' exits are in the lower bands; in the highest there are none.
func TestLeakAmongSessions(t *testing.T) {
	const group = 0
	p, c := newSimulated(1, 2), New(10*time.Minute, 200)
	var sessions []uint64
	var r Report
	for minute := range 24 * 60 {
		sessions = append(sessions, p.start(group))
		if len(sessions) > 60 {
			delete(p.alive, sessions[0])
			sessions = sessions[1:]
		}
		if minute%10 == 0 {
			p.start(group) // the leak
		}
		r = c.Observe(p.snapshot(stack.SourceTrace), noon.Add(time.Duration(minute)*time.Minute))
		checkSums(t, r)
	}
	// One in ten minutes since the start; 50 sessions older than 10 minutes.
	n := unsent(groupNumbers(r, kind(group)))
	want := Numbers{Count: 204, Bands: [Bands]Band{{Aged: 50 + 7, Exits: 1380, NewExits: 1}, {Aged: 24}, {Aged: 32}, {Aged: 80}}}
	if n != want {
		t.Errorf("%+v, want %+v", n, want)
	}
}

// TestExitsAreOfTheBandReached removes goroutines at the time at which they would have entered
// the next band: they were never in it.
func TestExitsAreOfTheBandReached(t *testing.T) {
	for _, test := range []struct {
		name string
		seen time.Duration // when last
		band int
	}{
		{"young", 59 * time.Second, notAged},
		{"just aged", time.Minute, 0},
		{"almost in the second", 8*time.Minute - time.Second, 0},
		{"in the second", 8 * time.Minute, 1},
		{"in the third", 40 * time.Minute, 2},
		{"in the last", 64 * time.Minute, 3},
		{"long in the last", 400 * time.Minute, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, c := newSimulated(1, 1), New(time.Minute, 200)
			id := p.start(0)
			p.start(2)
			c.Observe(p.snapshot(stack.SourceTrace), noon)
			c.Observe(p.snapshot(stack.SourceTrace), noon.Add(test.seen))
			delete(p.alive, id)
			r := c.Observe(p.snapshot(stack.SourceTrace), noon.Add(time.Hour*24))
			var want Numbers
			if test.band != notAged {
				want.Bands[test.band].Exits, want.Bands[test.band].NewExits = 1, 1
			}
			if got := unsent(groupNumbers(r, kind(0))); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}

// TestWhatIsSent follows a group through the bands.
func TestWhatIsSent(t *testing.T) {
	p, c := newSimulated(1, 1), New(time.Minute, 200)
	ids := []uint64{p.start(0), p.start(0)}
	const none, aged, exits, both = "", "aged", "exits", "both"
	for _, step := range []struct {
		name   string
		minute int
		leave  int
		source stack.Source
		want   [Bands]string
	}{
		{"at first", 0, 0, stack.SourceTrace, [Bands]string{both, none, none, none}},
		{"aged", 1, 0, stack.SourceTrace, [Bands]string{both, none, none, none}},
		{"in the second", 8, 0, stack.SourceTrace, [Bands]string{both, aged, none, none}},
		{"still", 20, 0, stack.SourceTrace, [Bands]string{both, aged, none, none}},
		{"no census", 21, 0, stack.SourceProfile, [Bands]string{}},
		{"in the third", 32, 0, stack.SourceTrace, [Bands]string{both, aged, aged, none}},
		{"the second is empty", 33, 0, stack.SourceTrace, [Bands]string{both, aged, aged, none}},
		{"a look without ages", 34, 0, stack.SourceProfile, [Bands]string{}},
		{"still", 35, 0, stack.SourceTrace, [Bands]string{both, aged, aged, none}},
		{"no longer told", 36, 0, stack.SourceTrace, [Bands]string{both, none, aged, none}},
		{"one leaves", 37, 1, stack.SourceTrace, [Bands]string{both, none, both, none}},
		{"in the last", 64, 0, stack.SourceTrace, [Bands]string{both, none, both, aged}},
		{"once", 65, 0, stack.SourceTrace, [Bands]string{both, none, both, aged}},
		{"twice", 66, 0, stack.SourceTrace, [Bands]string{both, none, both, aged}},
		{"exits remain", 67, 0, stack.SourceTrace, [Bands]string{both, none, exits, aged}},
	} {
		for range step.leave {
			delete(p.alive, ids[0])
			ids = ids[1:]
		}
		r := c.Observe(p.snapshot(step.source), noon.Add(time.Duration(step.minute)*time.Minute))
		for _, n := range []Numbers{groupNumbers(r, kind(0)), r.Entries[0].Numbers} {
			checkNumbers(t, n, r.Complete)
			var got [Bands]string
			for i, b := range n.Bands {
				switch {
				case b.SendAged && b.SendExits:
					got[i] = both
				case b.SendAged:
					got[i] = aged
				case b.SendExits:
					got[i] = exits
				}
			}
			if got != step.want {
				t.Errorf("%s: %q, want %q", step.name, got, step.want)
			}
		}
	}
}

// TestClockThatGoesBackAgesNobody steps the clock forward, which ages all goroutines, and back.
func TestClockThatGoesBackAgesNobody(t *testing.T) {
	p, c := newSimulated(1, 1), New(time.Minute, 200)
	p.start(0)
	c.Observe(p.snapshot(stack.SourceTrace), noon)
	c.Observe(p.snapshot(stack.SourceTrace), noon.Add(10*time.Minute))
	p.start(0)
	for _, minute := range []int{-600, 0, 10} {
		r := c.Observe(p.snapshot(stack.SourceTrace), noon.Add(time.Duration(minute)*time.Minute))
		want := Numbers{Count: 2, Bands: [Bands]Band{1: {Aged: 1}}}
		if got := unsent(groupNumbers(r, kind(0))); got != want {
			t.Errorf("at %d min: %+v, want %+v", minute, got, want)
		}
	}
}

// TestCohortsHaveOneByte observes snapshots as often as possible until all bands are full of
// cohorts.
func TestCohortsHaveOneByte(t *testing.T) {
	for _, test := range []struct{ agedAfter, every time.Duration }{
		{1, 1},
		{63, 1},
		{64, 1},
		{65, 1},
		{127, 1},
		{129, 1},
		{10 * time.Minute, time.Second},
		{10 * time.Minute, 7 * time.Second},
		{math.MaxInt64, math.MaxInt64 / 64 / 500},
	} {
		s := newScale(test.agedAfter)
		var l list
		var most int
		for now := time.Duration(0); now <= math.MaxInt64-test.every && now/2 <= s.bounds[Bands-1]; now += test.every {
			l, _ = l.advance(now, &s)
			most = max(most, len(l.cohorts))
		}
		t.Logf("%v, every %v: %d cohorts", test.agedAfter, test.every, most)
		if most > 204 {
			t.Errorf("%v, every %v: %d cohorts, want at most 204", test.agedAfter, test.every, most)
		}
	}
}

// FuzzCohorts observes snapshots at times given by the input, a byte for each step, and follows
// the newcomers of each.
func FuzzCohorts(f *testing.F) {
	f.Add(int64(10*time.Minute), []byte("\x11\x12\x53\x5f\x6f\x7f\x41\x41"))
	f.Add(int64(64), slices.Repeat([]byte{0x21, 0x43, 0x0f}, 60))
	f.Add(int64(127), slices.Repeat([]byte{0x1a, 0x81}, 100))
	f.Add(int64(1), []byte("\x00\x01\x20\xff\x01"))
	f.Add(int64(math.MaxInt64), []byte("\xff\xff\xcf\xaf"))
	f.Fuzz(func(t *testing.T, agedAfter int64, steps []byte) {
		s := newScale(time.Duration(agedAfter))
		unit := max(s.bounds[0]/640, 1) // a step of 0xff is 768 bounds
		type seen struct {
			at    time.Duration
			index uint8
		}
		var l list
		var all []seen
		var now time.Duration
		for _, b := range steps[:min(len(steps), 200)] {
			if step := time.Duration(b&15) << (b >> 4); step <= (math.MaxInt64-now)/unit {
				now += step * unit
			}
			var became [cohortIndexes]uint8
			l, became = l.advance(now, &s)
			if len(l.cohorts) >= cohortIndexes {
				t.Fatalf("%d cohorts", len(l.cohorts))
			}
			bands := l.byIndex(&s)
			for i := range all {
				g := &all[i]
				g.index = became[g.index]
				age := now - g.at
				late := int8(notAged) // the band if it comes 1/64 too late into each
				for k, bound := range s.bounds {
					if age-bound >= bound/64+boundMultiples[k] {
						late = int8(k)
					}
				}
				if got := bands[g.index]; got > s.band(age) || got < late {
					t.Fatalf("age %v: band %d, want %d to %d", age, got, late, s.band(age))
				}
			}
			all = append(all, seen{now, uint8(len(l.cohorts))})
		}
	})
}
