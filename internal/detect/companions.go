package detect

import (
	"cmp"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// The reader, the writer and the handler of a connection are three groups but one leak: their
// goroutines arrive together. Package growth detects that by the floors of their levels, of which
// there are only a few when a fast leak is flagged. So the last scrapes are compared too.

// recentArrivals is the increase of a group in each of the last scrapes: of aged goroutines, or of all
// if ages are unknown. It starts with the first increase and is not saved over a restart.
type recentArrivals struct {
	scrape uint32 // last one
	level  float32
	came   [recentScrapes]uint8 // by scrape
}

const recentScrapes = 32

// noteArrivals records the increase of a level since the previous scrape.
func (g *group) noteArrivals(scrape uint32, before, level float32) {
	r := g.recent
	switch {
	case r == nil && level <= before:
		return
	case r == nil:
		r = &recentArrivals{scrape: scrape, level: before}
		g.recent = r
	}
	for i := r.scrape + 1; i != scrape && i-r.scrape <= recentScrapes; i++ {
		r.came[i%recentScrapes] = 0
	}
	r.came[scrape%recentScrapes] = saturated(level - r.level)
	r.scrape, r.level = scrape, level
}

func saturated(n float32) uint8 { return uint8(min(max(n, 0), 255)) }

// pairWith returns the arrivals of two groups in the last scrapes; none if any number is saturated.
func (r *recentArrivals) pairWith(other *recentArrivals, interval int64) growth.Recent {
	if r == nil || other == nil || r.scrape != other.scrape {
		return growth.Recent{}
	}
	both := growth.Recent{Interval: time.Duration(interval)}
	for i := range uint32(recentScrapes) {
		x, y := r.came[(r.scrape-i)%recentScrapes], other.came[(r.scrape-i)%recentScrapes]
		if x == 255 || y == 255 {
			return growth.Recent{}
		}
		both.X, both.Y = append(both.X, float64(x)), append(both.Y, float64(y))
	}
	return both
}

// findingOf returns the identity of a leak that is flagged for the first time: the one under which its
// entry, its signature or a companion is already flagged, or that of the head of its companions.
func (d *Detector) findingOf(s *scrape, o *observation, j *judgement) ID {
	g := o.group
	beside := o.entryGroup
	switch {
	case beside != nil && (beside.joint == nil || beside.joint.carrier != o.name):
		beside = nil
	case g.kind == Entry && g.joint != nil:
		beside = d.groups[g.joint.carrier]
	}
	if beside != nil && beside.severity > growth.None && beside.flag != nil {
		return beside.flag.id
	}
	return d.findingAmongCompanions(s, o, j)
}

// maxCompared limits the comparisons in one batch. Comparing arrivals takes up to a thousand times
// longer, 50 µs, and counts as costlyPair.
const (
	maxCompared = 100_000
	costlyPair  = 20
)

// findingAmongCompanions returns the identity of the finding of a group that is flagged for the first
// time and its companions: that of a companion that is already flagged, or that of their head.
// Groups that are already flagged are never merged later.
func (d *Detector) findingAmongCompanions(s *scrape, o *observation, j *judgement) ID {
	own := o.group.levelOf(j)
	if s == nil || own == nil || own.evidence == nil {
		return o.finding()
	}
	interval := int64(0)
	if p := d.processes[o.group.process]; p != nil {
		interval = p.step
	}
	head := o
	for _, other := range s.groups {
		if d.compared++; d.compared > maxCompared {
			break
		}
		if other == o || other.group.kind != o.group.kind {
			continue
		}
		l := other.group.levelOf(j)
		if l == nil || l.evidence == nil || !haveSimilarGrowth(own.grown(), l.grown()) {
			continue
		}
		d.compared += costlyPair
		if !growth.Companions(o.reading.Rules, own.evidence, l.evidence, o.group.recent.pairWith(other.group.recent, interval)) {
			continue
		}
		if g := other.group; g.severity > growth.None && g.flag != nil {
			return g.flag.id
		}
		if other.precedes(head) {
			head = other
		}
	}
	return head.finding()
}

// levelOf returns the level of a judgement, or nil.
func (g *group) levelOf(j *judgement) *level {
	if g.counts != nil && !j.census {
		return g.counts
	}
	return g.levelAt(j.bound)
}

// haveSimilarGrowth reports whether two levels may be companions by their growth.
func haveSimilarGrowth(a, b float64) bool { return min(a, b) > 0 && max(a, b) < 5*min(a, b) }

// finding returns the identity of a leak of this group alone.
func (o *observation) finding() ID {
	if o.serviceGroup != 0 {
		return o.serviceGroup
	}
	return o.name
}

// precedes reports whether o rather than other is the head of a common leak: the code of the service
// comes first. The order is the same in all instances.
func (o *observation) precedes(other *observation) bool {
	return cmp.Or(cmp.Compare(o.rank, other.rank), cmp.Compare(o.finding(), other.finding())) < 0
}
