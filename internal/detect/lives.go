package detect

import (
	"cmp"
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// formerLife is the life of a process at one age level, or a sum of several.
type formerLife struct {
	bound int64 // ns
	life  growth.Life
}

// pastRetention is the longest time for which former lives are kept; the shortest is half of it. A
// version deployed a week ago tells little about the present one.
const pastRetention = 7 * 24 * time.Hour

// lifeOf returns the current life of a process at one level.
func (g *group) lifeOf(l *level, r *growth.Rules) growth.Life {
	if l.evidence != nil {
		return l.evidence.Life(r, time.Duration(l.bound), g.peer)
	}
	from := g.first + l.bound
	arrivals := 0.0
	switch {
	case g.peer || g.firstCount < 0:
	case growth.AppearedLater(r, g.start, g.first) && float64(g.firstCount) < r.MinLeaked:
		from, arrivals = g.start+l.bound, float64(l.aged)
	default:
		arrivals = max(0, float64(l.aged-g.firstCount))
	}
	return growth.OneStep(arrivals, l.exits, time.Unix(0, from), time.Unix(0, max(from, l.since.ns())), time.Unix(0, g.at))
}

// arrived returns how many goroutines have become aged in the group since the first observation and
// still exist.
func (g *group) arrived(r *growth.Rules) float64 {
	switch {
	case !g.census || len(g.levels) == 0:
		return 0
	case g.levels[0].evidence != nil:
		return g.levels[0].evidence.Arrived(r)
	}
	return g.lifeOf(&g.levels[0], r).Arrivals
}

// add adds a life to the past.
func (p *serviceGroup) add(f formerLife) {
	if f.life.Arrivals == 0 && f.life.Exits == 0 {
		return
	}
	p.past = addLife(p.past, f)
}

// addLife adds a life to the sum of its level.
func addLife(to []formerLife, f formerLife) []formerLife {
	to, i := levelIn(to, f.bound)
	if i >= 0 {
		to[i].life = to[i].life.Plus(f.life)
	}
	return to
}

// addLine adds the life of one group to that of the other groups (lines) of the same process: they
// count as one life.
func addLine(to []formerLife, f formerLife) []formerLife {
	to, i := levelIn(to, f.bound)
	if i >= 0 {
		before := to[i].life
		to[i].life = before.Plus(f.life)
		to[i].life.Lives, to[i].life.Watched = max(before.Lives, f.life.Lives), max(before.Watched, f.life.Watched)
	}
	return to
}

// levelIn returns the index of a level, which it adds if necessary; -1 if there are too many.
func levelIn(of []formerLife, bound int64) ([]formerLife, int) {
	i, found := slices.BinarySearchFunc(of, bound, func(a formerLife, bound int64) int { return cmp.Compare(a.bound, bound) })
	switch {
	case found:
	case len(of) == maxBands:
		return of, -1
	default:
		of = slices.Insert(of, i, formerLife{bound: bound})
	}
	return of, i
}

// sumOf returns the sum of all lives at a level, or nil if unknown.
func (p *serviceGroup) sumOf(bound int64) *growth.Life {
	for i := range p.sums {
		if p.sums[i].bound == bound {
			return &p.sums[i].life
		}
	}
	return nil
}

// expire drops lives that are too old at a time.
func (p *serviceGroup) expire(at int64) {
	const half = int64(pastRetention / 2)
	for ; at-p.pastAt >= half; p.pastAt += half {
		p.older, p.past = p.past, nil
		if p.older == nil {
			p.pastAt = at - half
		}
	}
}
