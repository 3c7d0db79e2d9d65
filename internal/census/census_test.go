package census

import (
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// TestLeakAndSessions follows two groups that cannot be told apart by their counts: both have 60
// goroutines at the end.
func TestLeakAndSessions(t *testing.T) {
	const leak, sessions = 0, 2
	p := newSimulated(1, 2)
	c := New(10*time.Minute, 200)
	var current []uint64
	var r Report
	for minute := range 60 {
		p.start(leak)
		current = append(current, p.start(sessions))
		if len(current) > 20 {
			delete(p.alive, current[0])
			current = current[1:]
		}
		r = c.Observe(p.snapshot(stack.SourceTrace), noon.Add(time.Duration(minute)*time.Minute))
	}
	if got, want := groupTotals(r, kind(leak)), (totals{Count: 60, Aged: 50}); got != want {
		t.Errorf("leak: %+v, want %+v", got, want)
	}
	if got, want := groupTotals(r, kind(sessions)), (totals{Count: 20, Aged: 10, Exits: 40, NewExits: 1}); got != want {
		t.Errorf("sessions: %+v, want %+v", got, want)
	}
	if r.Creations < 118-2*stack.IDBatchSize || r.Creations > 118+2*stack.IDBatchSize {
		t.Errorf("%d creations, want 118 to within 16 a P", r.Creations)
	}
	if !r.Start.Equal(noon) || r.Restarted || !r.Complete {
		t.Errorf("start %v, restarted %v, complete %v", r.Start, r.Restarted, r.Complete)
	}
}

// TestLoopKeepsItsEntry simulates a leak of goroutines that move between signatures forever, and
// never leave their entry.
func TestLoopKeepsItsEntry(t *testing.T) {
	p := newSimulated(1, 1)
	c := New(time.Minute, 200)
	for range 30 {
		p.start(0)
	}
	var r Report
	for minute := range 10 {
		for id := range p.alive {
			p.alive[id] = (int(id) + minute) % 2
		}
		r = c.Observe(p.snapshot(stack.SourceTrace), noon.Add(time.Duration(minute)*time.Minute))
	}
	if len(r.Entries) != 1 || totalsOf(r.Entries[0].Numbers) != (totals{Count: 30, Aged: 30}) {
		t.Errorf("entries %+v, want one with 30 aged and no exit", r.Entries)
	}
	for _, g := range r.Groups {
		if n := totalsOf(g.Numbers); n.Exits != 0 || n.Aged != n.Count {
			t.Errorf("%+v: moving to another group is neither an exit nor a new start", g)
		}
	}
}

func TestProfileTellsCountsAndForgetsNothing(t *testing.T) {
	p := newSimulated(1, 1)
	c := New(time.Minute, 200)
	for range 10 {
		p.start(0)
	}
	c.Observe(p.snapshot(stack.SourceTrace), noon)
	for range 5 {
		p.start(0)
	}
	r := c.Observe(p.snapshot(stack.SourceProfile), noon.Add(time.Minute))
	if r.Complete || r.Count != 15 || groupNumbers(r, kind(0)).Count != 15 {
		t.Errorf("from a profile: %+v", r)
	}
	checkCounts(t, r)
	r = c.Observe(&stack.Snapshot{Source: stack.SourceProfile}, noon.Add(90*time.Second))
	if got := groupNumbers(r, kind(0)).Count; r.Count != 0 || got != 0 {
		t.Errorf("count %d of %d, want 0", got, r.Count)
	}
	r = c.Observe(p.snapshot(stack.SourceTrace), noon.Add(2*time.Minute))
	if got, want := groupTotals(r, kind(0)), (totals{Count: 15, Aged: 10}); got != want {
		t.Errorf("the ages are gone: %+v, want %+v", got, want)
	}
}

func checkCounts(t *testing.T, r Report) {
	t.Helper()
	groups, entries := 0, 0
	for _, g := range r.Groups {
		checkNumbers(t, g.Numbers, r.Complete)
		groups += g.Count
	}
	for _, e := range r.Entries {
		checkNumbers(t, e.Numbers, r.Complete)
		entries += e.Count
	}
	if groups != r.Count || entries != r.Count {
		t.Errorf("groups add up to %d, entries to %d, of %d", groups, entries, r.Count)
	}
}

func TestEmptyGroupIsReportedForAWhile(t *testing.T) {
	p := newSimulated(1, 1)
	c := New(time.Minute, 200)
	p.start(0)
	c.Observe(p.snapshot(stack.SourceTrace), noon)
	clear(p.alive)
	for _, after := range []struct {
		seconds int
		rows    int
	}{{10, 1}, {60, 1}, {69, 1}, {70, 0}} {
		r := c.Observe(p.snapshot(stack.SourceTrace), noon.Add(time.Duration(after.seconds)*time.Second))
		if len(r.Groups) != after.rows || len(r.Entries) != after.rows {
			t.Errorf("after %d s: %d groups, %d entries, want %d", after.seconds, len(r.Groups), len(r.Entries), after.rows)
		}
	}
	if len(c.groups.sorted) != 0 || len(c.entries.sorted) != 0 {
		t.Error("the group is never forgotten")
	}
}

func TestNewProcess(t *testing.T) {
	const procs = 2
	// A process with aged goroutines, whose highest ID is much higher.
	before := func() (*Census, *simulated) {
		p := newSimulated(1, procs)
		c := New(time.Minute, 200)
		for range 400 {
			p.start(0)
		}
		for id := range p.alive {
			if id%2 == 0 {
				delete(p.alive, id)
			}
		}
		c.Observe(p.snapshot(stack.SourceTrace), noon)
		c.Observe(p.snapshot(stack.SourceTrace), noon.Add(2*time.Minute))
		return c, p
	}
	tests := []struct {
		name          string
		change        func(p *simulated)
		newConnection bool
		want          bool
	}{
		{"nothing new", func(*simulated) {}, false, false},
		{"nothing new behind a new connection", func(*simulated) {}, true, false},
		{"all gone", func(p *simulated) { clear(p.alive) }, false, false},
		{"a known ID with another entry", func(p *simulated) { p.alive[101] = 2 }, false, false},
		{"two known IDs with another entry", func(p *simulated) { p.alive[101], p.alive[103] = 2, 4 }, false, true},
		{"a known ID at another line", func(p *simulated) { p.alive[101] = 1 }, false, false},
		{"a known ID without a stack", func(p *simulated) { p.alive[101] = hidden }, false, false},
		{"newcomers in as many old blocks as Ps", func(p *simulated) { p.alive[2], p.alive[18], p.alive[20] = 0, 0, 0 }, false, false},
		{"newcomers in more old blocks than Ps", func(p *simulated) { p.alive[2], p.alive[18], p.alive[34] = 0, 0, 0 }, false, true},
		{"newcomers without a stack", func(p *simulated) { p.alive[2], p.alive[18], p.alive[34] = hidden, hidden, hidden }, false, false},
		{"old newcomer, aged gone, new connection", func(p *simulated) { clear(p.alive); p.alive[2] = 0 }, true, true},
		{"old newcomer, aged gone, same connection", func(p *simulated) { clear(p.alive); p.alive[2] = 0 }, false, false},
		{"young newcomer, aged gone, new connection", func(p *simulated) { clear(p.alive); p.alive[900] = 0; p.high = 900 }, true, false},
		{"old newcomer, aged there, new connection", func(p *simulated) { p.alive[2] = 0 }, true, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, p := before()
			test.change(p)
			at := noon.Add(3 * time.Minute)
			if test.newConnection {
				c.Reconnected()
			}
			r := c.Observe(p.snapshot(stack.SourceTrace), at)
			if r.Restarted != test.want {
				t.Fatalf("restarted: %v, want %v", r.Restarted, test.want)
			}
			checkSums(t, r)
			if !r.Restarted {
				return
			}
			if n := groupTotals(r, kind(0)); n.Aged != 0 || n.Exits != 0 || r.Creations != 0 || !r.Start.Equal(at) {
				t.Errorf("not afresh: %+v, %d creations, since %v", n, r.Creations, r.Start)
			}
		})
	}
}

// TestCleanupComesIntoSight observes a goroutine of the runtime, with one of the first IDs, that
// counts only while it runs a finalizer.
func TestCleanupComesIntoSight(t *testing.T) {
	p := newSimulated(1, 1)
	c := New(time.Minute, 200)
	for range 100 {
		p.start(0)
	}
	for _, id := range []uint64{3, 40, 60} {
		delete(p.alive, id)
	}
	c.Observe(p.snapshot(stack.SourceTrace), noon)
	s := p.snapshot(stack.SourceTrace)
	finalizing, _ := stack.Read([]stack.Frame{{Function: "main.finalize"}, {Function: "runtime.runFinalizers"}}, stack.Executing)
	s.Groups = append(s.Groups, stack.Group{Signature: finalizing, Count: 3})
	for i := range s.Goroutines {
		switch s.Goroutines[i].ID {
		case 2, 41, 61:
			s.Goroutines[i].ID--
			s.Goroutines[i].Group = int32(len(s.Groups) - 1)
			s.Groups[0].Count--
		}
	}
	// ID 2 became 1, which is known; 40 and 60 are not.
	s.Goroutines[1].ID = 3
	c.Reconnected()
	if r := c.Observe(s, noon.Add(time.Second)); r.Restarted {
		t.Error("a finalizer was taken for a new process")
	}
}

func TestLimitKeepsSumAndPlaces(t *testing.T) {
	const groups, limit = 12, 4
	p := newSimulated(1, 2)
	c := New(time.Minute, limit)
	for group := range groups {
		for range 10 + group {
			p.start(group)
		}
	}
	r := c.Observe(p.snapshot(stack.SourceTrace), noon)
	checkSums(t, r)
	if len(r.Groups) != limit+1 || len(r.Entries) != limit+1 {
		t.Fatalf("%d groups and %d entries, want %d and one for the rest", len(r.Groups), len(r.Entries), limit)
	}
	first := rowsOfReport(r)
	// The ranking changes in every snapshot, by less than a quarter.
	for look := range 50 {
		for group := range groups {
			for range (look*7 + group*5) % 3 {
				p.start(group)
			}
		}
		r = c.Observe(p.snapshot(stack.SourceTrace), noon.Add(time.Duration(look+1)*time.Second))
		checkSums(t, r)
	}
	if got := rowsOfReport(r); got != first {
		t.Errorf("groups flapped: first %v, then %v", first, got)
	}
	// A small group that leaks displaces another.
	for range 100 {
		p.start(0)
	}
	r = c.Observe(p.snapshot(stack.SourceTrace), noon.Add(2*time.Minute))
	checkSums(t, r)
	if groupNumbers(r, kind(0)).Count < 100 {
		t.Errorf("a group that outweighs the listed is not listed: %+v", r.Groups)
	}
}

func rowsOfReport(r Report) (ids [8]stack.ID) {
	for i, g := range r.Groups {
		ids[i] = g.Signature.ID
	}
	return ids
}

// TestCountersNeverGoDown moves groups in and out of the list while their goroutines start and
// end. Each exit must be reported as new once.
func TestCountersNeverGoDown(t *testing.T) {
	const groups = 20
	p := newSimulated(7, 4)
	c := New(2*time.Minute, 5)
	last := map[stack.ID]Numbers{}
	lastEntry := map[string]Numbers{}
	var lastCreations int64
	for minute := range 700 {
		busy := p.random.IntN(groups)
		for range p.random.IntN(60) {
			p.start(busy)
		}
		p.churn(groups, 40, 25)
		r := c.Observe(p.snapshot(stack.SourceTrace), noon.Add(time.Duration(minute)*time.Minute))
		checkSums(t, r)
		for _, g := range r.Groups {
			if before := last[g.Signature.ID]; !follows(g.Numbers, before) {
				t.Fatalf("minute %d: exits of %v went from %+v to %+v", minute, g.Signature.ID, before, g.Numbers)
			}
			last[g.Signature.ID] = g.Numbers
		}
		for _, e := range r.Entries {
			if before := lastEntry[e.Function]; !follows(e.Numbers, before) {
				t.Fatalf("minute %d: exits of %q went from %+v to %+v", minute, e.Function, before, e.Numbers)
			}
			lastEntry[e.Function] = e.Numbers
		}
		if r.Creations < lastCreations {
			t.Fatalf("creations fell from %d to %d", lastCreations, r.Creations)
		}
		lastCreations = r.Creations
	}
}

// follows reports whether the exits of each band increased by the new ones.
func follows(n, before Numbers) bool {
	for i, b := range n.Bands {
		if b.NewExits < 0 || b.Exits != before.Bands[i].Exits+b.NewExits {
			return false
		}
	}
	return true
}

// TestMemory limits the memory that a census retains between two snapshots.
func TestMemory(t *testing.T) {
	const goroutines = 100_000
	c := grown(t, goroutines)
	kept := cap(c.list.varints) + cap(c.list.cohorts)*8
	if perGoroutine := float64(kept) / goroutines; perGoroutine > 8 {
		t.Errorf("%.1f bytes a goroutine, want at most 8", perGoroutine)
	} else {
		t.Logf("%.1f bytes a goroutine", perGoroutine)
	}
}

func TestMemoryFollowsTheProcessDown(t *testing.T) {
	c := grown(t, 10_000)
	c.Observe(&stack.Snapshot{Source: stack.SourceTrace}, noon.Add(3*time.Hour))
	if n := cap(c.list.varints); n > 64 {
		t.Errorf("%d bytes are kept of an empty process", n)
	}
}

// grown returns the census of a process of n goroutines in 40 groups, a tenth of which is
// replaced between two snapshots.
func grown(tb testing.TB, n int) *Census {
	tb.Helper()
	p, c := newSimulated(1, 2), New(10*time.Minute, 200)
	for range n {
		p.start(p.random.IntN(40))
	}
	for minute := range 15 {
		for id := range p.alive {
			if p.random.IntN(10) == 0 {
				delete(p.alive, id)
				p.start(p.random.IntN(40))
			}
		}
		c.Observe(p.snapshot(stack.SourceTrace), noon.Add(time.Duration(minute)*time.Minute))
	}
	return c
}

func TestHostileGroupsAreBounded(t *testing.T) {
	c := New(time.Minute, 200)
	for round := range 3 {
		s := &stack.Snapshot{Source: stack.SourceProfile}
		for i := range 3 * maxTableRows {
			function := "main.f" + strconv.Itoa(round*maxTableRows*3+i)
			signature, _ := stack.Read([]stack.Frame{{Function: function, File: function + ".go"}}, stack.Executing)
			s.Groups = append(s.Groups, stack.Group{Signature: signature, Count: 1})
		}
		r := c.Observe(s, noon.Add(time.Duration(round)*time.Second))
		checkCounts(t, r)
		for _, e := range r.Entries {
			if !e.Other && e.File != e.Function+".go" {
				t.Fatalf("entry %q has the file %q", e.Function, e.File)
			}
		}
		if len(c.groups.rows) > maxTableRows || len(c.entries.rows) > maxTableRows {
			t.Errorf("%d groups and %d entries are kept", len(c.groups.rows), len(c.entries.rows))
		}
	}
	c.Observe(&stack.Snapshot{Source: stack.SourceProfile}, noon.Add(time.Minute))
	if len(c.groups.sorted) > 200 || len(c.entries.sorted) > 200 {
		t.Errorf("%d groups and %d entries are remembered of an empty process", len(c.groups.sorted), len(c.entries.sorted))
	}
}

// FuzzObserve builds snapshots from the input and checks the invariants of reports. IDs start at
// base, and tick is the unit of the time between two snapshots, which may be negative, as after
// the clock was set.
func FuzzObserve(f *testing.F) {
	const tick = int64(50 * time.Millisecond)
	some := []byte("\x01\x02\x03\x00\x01\x02\x03\x09\xff\x00\x07\x07\x07\x20")
	f.Add(some, uint64(0), tick)
	f.Add([]byte("abcdefgh\x00abcdefgh\x00ABCDEFGH\x00\x01\x00\x02"), uint64(0), tick)
	f.Add(some, uint64(math.MaxInt64-3), tick)
	f.Add(some, uint64(0), int64(math.MaxInt64)/255)
	f.Add(some, uint64(0), -tick)
	f.Add(some, uint64(0), int64(0))
	f.Add([]byte("\x10\x90\x40\x10"), uint64(0), tick)                         // an empty process, and a new one
	f.Add([]byte("abcdefgh\x40\x50abcdefgh\x40\x90\x40"), uint64(0), tick)     // profiles between traces
	f.Add([]byte("abcdefgh\xa0\x1f\x2f\x3f\x4f\x5f\x6f\xa0"), uint64(0), tick) // almost all gone
	f.Fuzz(func(t *testing.T, data []byte, base uint64, tick int64) {
		p, c := newSimulated(1, 1), New(3*time.Second, 3)
		at := noon
		for _, b := range data {
			if b%16 != 0 {
				if id := base + uint64(b/16)*uint64(b%16) + 1; id <= math.MaxInt64 { // no decoder has any other
					p.alive[id] = int(b%8) - 1
					p.high = max(p.high, id)
				}
				if b%16 == 15 {
					delete(p.alive, base+uint64(b/16)+1)
				}
				continue
			}
			at = at.Add(time.Duration(int64(b) * tick))
			source := stack.SourceTrace
			if b == 0x40 {
				source = stack.SourceProfile
			}
			if b >= 0x80 {
				c.Reconnected()
			}
			r := c.Observe(p.snapshot(source), at)
			checkCounts(t, r)
			if r.Complete {
				checkSums(t, r)
			}
		}
	})
}

func BenchmarkObserve(b *testing.B) {
	const goroutines = 100_000
	p, c := newSimulated(1, 2), New(10*time.Minute, 200)
	for range goroutines {
		p.start(p.random.IntN(40))
	}
	s := p.snapshot(stack.SourceTrace)
	at := noon
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(time.Minute)
		c.Observe(s, at)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/goroutines, "ns/goroutine")
	b.ReportMetric(float64(cap(c.list.varints))/goroutines, "B/goroutine")
}
