package census

import (
	"slices"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// TestCandidates observes for two hours a pool that fills at once, a pool whose goroutines
// alternate between work and wait, sessions that end, and a leak.
func TestCandidates(t *testing.T) {
	const pool, burst, busy, idle, session, leak = 0, 2, 4, 5, 6, 8
	p, c := newSimulated(1, 4), New(10*time.Minute, 200)
	var candidates Candidates
	for range 40 {
		p.start(pool)
		p.start(busy)
	}
	var sessions []uint64
	var now []Candidate
	isNow := func(group int) bool {
		return slices.ContainsFunc(now, func(c Candidate) bool { return c.Signature == kind(group) })
	}
	for at := noon; at.Before(noon.Add(2 * time.Hour)); at = at.Add(time.Minute) {
		since := at.Sub(noon)
		if since == 20*time.Minute {
			for range 30 {
				p.start(burst)
			}
		}
		sessions = append(sessions, p.start(session))
		if len(sessions) > 15 { // each lasts for a quarter of an hour
			delete(p.alive, sessions[0])
			sessions = sessions[1:]
		}
		for id, group := range p.alive {
			if group == busy || group == idle {
				p.alive[id] = busy + p.random.IntN(2)
			}
		}
		if since%(3*time.Minute) == 0 {
			p.start(leak)
		}
		r := c.Observe(p.snapshot(stack.SourceTrace), at)
		now, _ = candidates.Observe(&r, at)
		// The fifth goroutine starts after 15 minutes and is aged after 25.
		if got := isNow(leak); got != (since >= 26*time.Minute) && since != 25*time.Minute {
			t.Errorf("after %v: candidate %v", since, got)
		}
		for _, group := range []int{pool, burst, busy, idle} {
			if isNow(group) {
				t.Errorf("after %v: a pool (%d)", since, group)
			}
		}
	}
	// One in three minutes, the first at once.
	if len(now) != 1 || now[0].Signature != kind(leak) || now[0].PerHour < 20 || now[0].PerHour > 22 {
		t.Errorf("%+v", now)
	}
}

// TestCandidateEntries accumulates goroutines of an entry, but in none of its groups.
func TestCandidateEntries(t *testing.T) {
	var candidates Candidates
	look := func(minute, aged int, exits int64, restarted, complete bool) (groups, entries []Candidate) {
		n := Numbers{Bands: [Bands]Band{{Aged: aged, Exits: exits}}}
		r := Report{
			Start: noon, Complete: complete, Restarted: restarted, Bounds: Bounds(time.Minute),
			Groups:  []Group{{Signature: stack.Signature{ID: 1, Entry: "main.loop"}}, {Other: true, Numbers: n}},
			Entries: []Entry{{Function: "main.loop", Numbers: n}, {Other: true, Numbers: n}},
		}
		return candidates.Observe(&r, noon.Add(time.Duration(minute)*time.Minute))
	}
	for minute, step := range []struct {
		aged                int
		exits               int64
		restarted, complete bool
		want                bool
	}{
		{aged: 0, complete: true},
		{aged: 9, complete: true}, // they were there before
		{aged: 9, complete: true},
		{aged: 11, complete: true},
		{aged: 12, complete: true},
		{aged: 14, complete: true, want: true},
		{aged: 15},
		{aged: 15, complete: true, want: true},
		{aged: 12, exits: 3, complete: true}, // three of six left
		{aged: 13, exits: 3, complete: true, want: true},
		{aged: 13, exits: 3, restarted: true, complete: true},
		{aged: 15, exits: 3, complete: true},
	} {
		groups, entries := look(minute, step.aged, step.exits, step.restarted, step.complete)
		if len(groups) > 0 || slices.ContainsFunc(entries, func(c Candidate) bool { return c.Signature.Entry == "main.loop" }) != step.want {
			t.Errorf("%+v: %v, %v", step, groups, entries)
		}
	}
}
