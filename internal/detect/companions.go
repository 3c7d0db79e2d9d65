package detect

import (
	"cmp"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// The reader, the writer and the handler of one connection are three groups and one leak:
// their goroutines come together. Package growth tells that by the floors of their levels,
// of which there are only a few when a fast leak is flagged. So the last scrapes are
// compared as well.

// recent is by how many the goroutines of a group have become more in each of the last
// scrapes: those that are old, or all where ages are not known. It begins with the first
// that does, and is not kept over a restart.
type recent struct {
	scrape uint32 // the last
	level  float32
	came   [recentScrapes]uint8 // by scrape
}

const recentScrapes = 32

// noteArrivals notes by how many a level has risen since the scrape before.
func (g *group) noteArrivals(scrape uint32, before, level float32) {
	r := g.recent
	switch {
	case r == nil && level <= before:
		return
	case r == nil:
		r = &recent{scrape: scrape, level: before}
		g.recent = r
	}
	for i := r.scrape + 1; i != scrape && i-r.scrape <= recentScrapes; i++ {
		r.came[i%recentScrapes] = 0
	}
	r.came[scrape%recentScrapes] = saturated(level - r.level)
	r.scrape, r.level = scrape, level
}

func saturated(n float32) uint8 { return uint8(min(max(n, 0), 255)) }

// with returns what came to two groups in the last scrapes; nothing if there were more than
// can be told.
func (r *recent) with(other *recent, interval int64) growth.Recent {
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

// findingOf returns the identity of a leak that is flagged for the first time: that under
// which its entry, its signature or a companion is flagged already, or that of the first of
// its companions.
func (d *Detector) findingOf(s *scrape, o *observation, j *judgement) ID {
	g := o.group
	beside := d.entryOf(o)
	switch {
	case beside != nil && (beside.joint == nil || beside.joint.carrier != o.name):
		beside = nil
	case g.kind == Entry && g.joint != nil:
		beside = d.groups[g.joint.carrier]
	}
	if beside != nil && beside.severity > growth.None && beside.flag != nil {
		return beside.flag.id
	}
	return d.amongCompanions(s, o, j)
}

// maxCompared bounds how many groups are looked at in one batch, for those that are flagged.
// To compare two takes up to a thousand times longer, 50 µs, and counts as costlyPair.
const (
	maxCompared = 100_000
	costlyPair  = 20
)

// amongCompanions returns the identity of the finding of the groups that leak together with
// one that is flagged for the first time: that of one that is flagged already, else that of
// the first of them. What is flagged already is never put together later.
func (d *Detector) amongCompanions(s *scrape, o *observation, j *judgement) ID {
	own := o.group.judged(j)
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
		l := other.group.judged(j)
		if l == nil || l.evidence == nil || !alike(own.grown(), l.grown()) {
			continue
		}
		d.compared += costlyPair
		if !growth.Companions(o.reading.Rules, own.evidence, l.evidence, o.group.recent.with(other.group.recent, interval)) {
			continue
		}
		if g := other.group; g.severity > growth.None && g.flag != nil {
			return g.flag.id
		}
		if other.before(head) {
			head = other
		}
	}
	return head.finding()
}

// judged returns the level that a judgement is about, nil if there is none.
func (g *group) judged(j *judgement) *level {
	if g.counts != nil && !j.census {
		return g.counts
	}
	return g.levelAt(j.bound)
}

// alike tells whether two levels have grown by so many that they may be companions.
func alike(a, b float64) bool { return min(a, b) > 0 && max(a, b) < 5*min(a, b) }

// finding returns the identity that a leak of the group has by itself.
func (o *observation) finding() ID {
	if o.in != 0 {
		return o.in
	}
	return o.name
}

// before tells whether a leak is called by this group rather than by another: the code of
// the service comes first. The order is the same in all instances.
func (o *observation) before(other *observation) bool {
	return cmp.Or(cmp.Compare(o.rank, other.rank), cmp.Compare(o.finding(), other.finding())) < 0
}
