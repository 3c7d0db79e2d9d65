package detect

import (
	"cmp"
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// level is the goroutines at least as old as a bound.
type level struct {
	bound int64 // ns
	// evidence is nil until the level changes for the second time: while it is 0, and then
	// has one value. backfill replays that history when evidence is created.
	evidence *growth.Evidence
	exits    float64 // since the start
	ownExits float64 // of the band with this lower bound
	aged     float32 // goroutines
	own      float32 // in the band with this lower bound
	since    seconds // without evidence: when it left 0; 0 if it has not
}

// setBands updates the levels from bands, in the order of their bounds.
func (g *group) setBands(bands []band) {
	for i := range g.levels {
		g.levels[i].own = 0 // a band without a point is empty
	}
	for _, b := range bands {
		l := g.level(b.bound, b.has&agedPart != 0 && b.aged > 0 || b.has&exitsPart != 0 && b.exits > 0 || len(g.levels) == 0)
		if l == nil {
			continue
		}
		l.own = float32(b.aged)
		switch {
		case b.has&exitsPart == 0:
		case b.delta:
			l.ownExits += b.exits
		default:
			l.ownExits = b.exits
		}
	}
}

// level returns the level of a bound. If there is none, it adds one if wanted, or returns nil.
func (g *group) level(bound time.Duration, wanted bool) *level {
	i, found := slices.BinarySearchFunc(g.levels, int64(bound), func(l level, b int64) int { return cmp.Compare(l.bound, b) })
	switch {
	case found:
	case !wanted, len(g.levels) == maxBands:
		return nil
	default:
		levels := slices.Grow(slices.Clip(g.levels[:0:0]), len(g.levels)+1)
		levels = append(levels, g.levels[:i]...)
		levels = append(levels, level{bound: int64(bound)})
		g.levels = append(levels, g.levels[i:]...)
		// Goroutines older than the next bound are older than this one.
		if i+1 < len(g.levels) {
			g.levels[i].aged, g.levels[i].exits, g.levels[i].since = g.levels[i+1].aged, g.levels[i+1].exits, g.levels[i+1].since
		}
	}
	return &g.levels[i]
}

// levelAt returns the level of a bound, or nil.
func (g *group) levelAt(bound time.Duration) *level {
	for i := range g.levels {
		if g.levels[i].bound == int64(bound) {
			return &g.levels[i]
		}
	}
	return nil
}

func (l *level) grown() float64 {
	if l.evidence == nil {
		return 0
	}
	return l.evidence.Grown()
}

// judgeLevel adds an observation of one level.
func (g *group) judgeLevel(l *level, r *growth.Rules, now growth.Observation) growth.Verdict {
	level := float32(now.Count)
	if now.Census {
		level = float32(now.Aged)
	}
	before := *l
	l.aged, l.exits = level, now.Exits
	now.FirstCount = float64(g.firstCount)
	if g.firstCount < 0 {
		now.FirstCount = float64(before.aged)
	}
	if l.evidence == nil {
		changed := level != before.aged || now.Exits != before.exits
		switch {
		case before.since == 0 && (changed || !now.Census): // a count has no time before the first
			l.since = toSeconds(now.At.UnixNano())
			return growth.Verdict{}
		case !changed:
			return growth.Verdict{}
		}
		l.evidence = &growth.Evidence{}
		g.backfill(&before, l.evidence, r, now)
	}
	return l.evidence.Observe(r, now)
}

// backfill replays the history of a level up to the previous observation to new evidence: 0 from the
// first observation until since, and then the value of before. The other fields are those of now.
func (g *group) backfill(before *level, e *growth.Evidence, r *growth.Rules, now growth.Observation) {
	then := now
	tell := func(from, to int64, level float32, exits float64) {
		then.At, then.Exits = time.Unix(0, from), exits
		if then.Count = float64(level); now.Census {
			then.Aged = float64(level)
		}
		e.ObserveUntil(r, then, time.Unix(0, to))
	}
	since := max(before.since.ns(), g.first)
	if last := since - int64(time.Second); now.Census && last > g.first {
		tell(g.first, last, 0, 0)
	}
	tell(since, g.at, before.aged, before.exits)
}
