package history

import (
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// lineKey identifies a line. An entry has no state, function, file and line.
type lineKey struct {
	state, function, file, entry string
	line                         int
}

func keyOf(p finding.Place) lineKey {
	return lineKey{p.State, p.Function, p.File, p.Entry, p.Line}
}

// line is the goroutines of a group at one line, in all instances.
type line struct {
	place   finding.Place
	group   *group
	now     float64 // in the last window
	pending float64
	last    time.Time // latest time with goroutines
}

// countMetric returns the metric with the number of goroutines.
func (l *line) countMetric() metric {
	if l.place.State == "" {
		return entryCount
	}
	return stackCount
}

// group is a group of goroutines in all instances and versions of a service.
type group struct {
	name    string
	entry   bool
	place   finding.Place // its latest line
	curve   [parts]*curve
	pending [parts]float64
	last    time.Time // latest time with goroutines
	zero    bool      // the exits were 0 in an earlier window
}

// part is a curve of a group.
type part uint8

// The parts: the count, the aged goroutines of each age band, and the exits of aged goroutines.
const (
	partCount part = iota
	partAged
	partExits = partAged + maxBands
	parts     = partExits + 1
)

// maxBands bounds the age bands; the census has four.
const maxBands = 4

// sumGroup adds a point to its group.
func (h *History) sumGroup(s *service, m metric, p finding.Point) {
	l := h.line(s, m, p)
	if l == nil {
		return
	}
	switch m {
	case stackCount, entryCount:
		l.pending += p.Value
		l.group.pending[partCount] += p.Value
	case stackAged, entryAged:
		s.aged = true
		if band := s.band(p.Attributes.Value(keyAgeMin)); band >= 0 {
			l.group.pending[partAged+part(band)] += p.Value
		}
	case stackExits, entryExits:
		l.group.pending[partExits] += p.Value
	}
}

// line returns the line of a point, adding it if necessary. It returns nil if the point is the sum of
// all other lines, or if there are too many.
func (h *History) line(s *service, m metric, p finding.Point) *line {
	place := p.Place()
	if m < entryCount && p.Attributes.Value(keySignature) == telemetry.SignatureOther || place.Entry == telemetry.SignatureOther {
		return nil
	}
	if m >= entryCount {
		place.State, place.Function, place.File, place.Line = "", "", "", 0
	}
	key := keyOf(place)
	l := s.lines[key]
	if l == nil {
		if p.Value == 0 {
			return nil
		}
		if h.groups >= h.config.MaxGroups {
			h.dropped.Beyond++
			return nil
		}
		place = clone(place)
		key = keyOf(place)
		l = &line{place: place, group: s.group(place), last: p.At}
		s.lines[key] = l
		h.groups++
	}
	if p.Value > 0 && p.At.After(l.group.last) {
		l.group.last, l.group.place = p.At, l.place
	}
	return l
}

func (s *service) group(place finding.Place) *group {
	name := place.Group()
	g := s.groups[name]
	if g == nil {
		g = &group{name: name, entry: place.State == "", place: place}
		s.groups[name] = g
	}
	return g
}

// clone returns a copy of a place that does not keep the batch in memory.
func clone(p finding.Place) finding.Place {
	for _, text := range [...]*string{&p.State, &p.Function, &p.File, &p.Entry, &p.EntryFile} {
		*text = strings.Clone(*text)
	}
	return p
}

// drawGroup adds the window to the curves of a group. If a metric arrived in the window
// without a point for the group, the group has no goroutines.
func (h *History) drawGroup(g *group, w *window, slot int) {
	count, aged, exits := stackCount, stackAged, stackExits
	if g.entry {
		count, aged, exits = entryCount, entryAged, entryExits
	}
	for p := range parts {
		m := aged
		switch p {
		case partCount:
			m = count
		case partExits:
			m = exits
		}
		value := g.pending[p]
		if !w.came[m] || value == 0 && g.curve[p] == nil {
			continue
		}
		begins := g.curve[p] == nil
		g.curve[p] = h.set(g.curve[p], slot, value)
		if begins && p == partExits && g.zero && slot > 0 {
			g.curve[p] = h.set(g.curve[p], slot-1, 0) // so that the first exits are a step from 0
		}
	}
	g.zero = g.zero || w.came[exits] && g.pending[partExits] == 0
}

func (g *group) curves() int {
	n := 0
	for _, c := range g.curve {
		if c != nil {
			n++
		}
	}
	return n
}

// sweepGroups deletes lines and groups that had no goroutines for forgetAfter.
func (h *History) sweepGroups(s *service) {
	kept := make(map[*group]bool, len(s.groups))
	for key, l := range s.lines {
		if s.last.Sub(l.last) > forgetAfter {
			delete(s.lines, key)
			h.groups--
			continue
		}
		kept[l.group] = true
	}
	for name, g := range s.groups {
		if !kept[g] {
			h.series -= g.curves()
			delete(s.groups, name)
		}
	}
}
