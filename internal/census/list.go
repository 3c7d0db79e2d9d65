package census

import (
	"encoding/binary"
	"math"
	"sync"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// none is the row of a goroutine that has never shown a stack, and of an entry
// that is not known.
const none = -1

// list is every goroutine of the process at its latest trace, IDs ascending. Each is
// two varints and a byte:
//
//	ID - previous ID,  row in groups + 1,  0 in the highest band else index in cohorts + 1
//
// Live processes need about 4 bytes a goroutine.
type list struct {
	varints []byte
	cohorts []cohort // the oldest first
	at      time.Duration
	aged    [Bands]int // goroutines
}

// usualVarints is how many bytes most processes need for a goroutine.
const usualVarints = 4

// cohort is all goroutines first seen at about the same time, which is told by the
// youngest of them: none looks older than it is.
type cohort time.Duration

// cohortsPerBound makes a goroutine come into a band late by at most 1/64 of the band's
// lower bound, which is 9 s of 10 min, and 10 min of 10 h 40.
//
// It bounds the number of cohorts, so that an index is one byte. The goroutines below a
// bound are kept in cells of 1/64 of it, one cohort a cell (scale.shared): at most 64 of
// those that are not aged; 64*7/8, 64*3/4 and 64/2 of the bands below the highest, each of
// which begins where the one before ends; and one more of each for a cell that is cut at
// both ends. That makes 65 + 57 + 49 + 33 = 204. There is one index for all goroutines of
// the highest band.
const cohortsPerBound = 64

// maxIndexes is how many values an index can have.
const maxIndexes = math.MaxUint8 + 1

// buffers lends the memory in which a list is merged. It holds nothing between
// two uses.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// replace takes over what merge wrote. The list has no more memory than it needs,
// for there may be thousands of them.
func (l *list) replace(by list) {
	need := len(by.varints)
	if cap(l.varints) < need || cap(l.varints) > 2*need {
		l.varints = make([]byte, 0, need+need/8)
	}
	l.varints = append(l.varints[:0], by.varints...)
	l.cohorts, l.at, l.aged = by.cohorts, by.at, by.aged
}

// byIndex returns the band of each index at the time of the list.
func (l *list) byIndex(s *scale) (bands [maxIndexes]int8) {
	bands[0] = Bands - 1
	for i, c := range l.cohorts {
		bands[i+1] = s.band(l.at - time.Duration(c))
	}
	return bands
}

// advance returns the list as of now, without a goroutine yet, and which index each of
// the old ones has become. Times never go back. The newcomers have the last index.
//
// Cohorts that have come into the highest band have index 0. Others of one band are
// merged where they may share a cohort, which is never before they are in that band:
// until then they may still come into it at different times.
func (l *list) advance(now time.Duration, s *scale) (advanced list, became [maxIndexes]uint8) {
	cohorts := make([]cohort, 0, len(l.cohorts)+1)
	last := int8(Bands - 1) // band of the last of cohorts
	add := func(c cohort) (index uint8) {
		band := s.band(now - time.Duration(c))
		n := len(cohorts)
		switch {
		case band == Bands-1:
			return 0
		case n > 0 && band == last && s.shared(band, time.Duration(cohorts[n-1]), time.Duration(c)):
			cohorts[n-1] = c
		default:
			cohorts = append(cohorts, c)
		}
		last = band
		return uint8(len(cohorts))
	}
	for i, c := range l.cohorts {
		became[i+1] = add(c)
	}
	add(cohort(now))
	return list{cohorts: cohorts, at: now}, became
}

// listed is one goroutine of the list.
type listed struct {
	id    uint64
	group int32
	age   uint8 // index of its cohort
}

// cursor reads a list.
type cursor struct {
	rest []byte
	id   uint64
}

// next returns the next goroutine; at the end, one with the highest ID there can
// be, which no goroutine has.
func (c *cursor) next() listed {
	if len(c.rest) == 0 {
		return listed{id: math.MaxUint64}
	}
	c.id += c.varint()
	group := int32(c.varint()) - 1
	age := c.rest[0]
	c.rest = c.rest[1:]
	return listed{id: c.id, group: group, age: age}
}

func (c *cursor) varint() uint64 {
	if v := c.rest[0]; v < 0x80 { // nearly always; saves a third of the time
		c.rest = c.rest[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(c.rest)
	c.rest = c.rest[n:]
	return v
}

// merge compares the list with a snapshot.
type merge struct {
	census   *Census
	snapshot *stack.Snapshot
	rows     []int32 // of the snapshot's groups

	merged      list
	was, is     [maxIndexes]int8 // band of each index of the old list, and of merged
	change      change
	exits       [][Bands]int64 // by row, and the band that was reached
	exitsOfNone [Bands]int64
}

func newMerge(c *Census, s *stack.Snapshot, rows []int32) *merge {
	return &merge{
		census:   c,
		snapshot: s,
		rows:     rows,
		change:   change{highest: c.process.highest, procs: s.Procs},
		exits:    make([][Bands]int64, len(c.groups.rows)),
	}
}

// joined notes a newcomer. Only one whose entry is known can tell a new process:
// any other may have been there all the while, unseen. Nor can callbacks from C: their
// thread may have had the ID for long.
func (m *merge) joined(id uint64, group int32) {
	entry := m.entry(group)
	if entry != none && !m.fromC(group) && !ofRuntime(m.census.entries.rows[entry].key) {
		m.change.newcomer(id)
	}
}

// fromC reports whether a group is of callbacks from C, whose IDs are those of their
// threads.
func (m *merge) fromC(group int32) bool {
	return group != none && m.census.of[group].signature.FromC
}

// run writes into out the list that takes the place of the census's own, and
// counts on the way: goroutines and aged ones into the rows; exits, and signs of
// a new process, into m.
func (m *merge) run(out []byte, now time.Duration) {
	c := m.census
	var became [maxIndexes]uint8
	m.was = c.list.byIndex(&c.scale)
	m.merged, became = c.list.advance(now, &c.scale)
	m.is = m.merged.byIndex(&c.scale)
	youngest := uint8(len(m.merged.cohorts))
	c.groups.clearCounts()
	c.groups.clearAged()
	c.groups.clearHolders()

	known := cursor{rest: c.list.varints}
	old := known.next()
	var previous uint64
	for _, g := range m.snapshot.Goroutines {
		for ; old.id < g.ID; old = known.next() {
			m.gone(old)
		}
		group, age := int32(none), youngest
		if g.Group != stack.NoGroup {
			group = m.rows[g.Group]
		}
		if old.id == g.ID {
			group, age = m.stayed(old, group), became[old.age]
			old = known.next()
		} else {
			m.joined(g.ID, group)
		}
		if m.fromC(group) {
			age = youngest
		}
		out = binary.AppendUvarint(out, g.ID-previous)
		out = binary.AppendUvarint(out, uint64(group+1))
		out = append(out, age)
		previous = g.ID
		m.count(group, age)
	}
	for ; old.id != math.MaxUint64; old = known.next() {
		m.gone(old)
	}
	m.merged.varints = out
}

// stayed returns the group of a goroutine that was in group old.group and now
// shows group now: without a stack, it is still where it was.
func (m *merge) stayed(old listed, now int32) int32 {
	if now == none {
		now = old.group
	}
	before, after := m.entry(old.group), m.entry(now)
	same := before == after || before == none || after == none || m.fromC(old.group) || m.fromC(now)
	m.change.stayed(m.was[old.age] != young, same)
	return now
}

// gone counts the exit of a goroutine that is not in the snapshot, if it was aged.
func (m *merge) gone(g listed) {
	band := m.was[g.age]
	if band == young {
		return
	}
	m.change.agedGone++
	if g.group == none {
		m.exitsOfNone[band]++
		return
	}
	m.exits[g.group][band]++
}

func (m *merge) count(group int32, age uint8) {
	band := m.is[age]
	if band != young {
		m.merged.aged[band]++
	}
	if group == none {
		return
	}
	row := &m.census.groups.rows[group]
	row.count++
	row.holders++
	if band != young {
		row.bands[band].aged++
	}
}

// entry returns the entry of a group, or none if it is not known.
func (m *merge) entry(group int32) int32 {
	if group == none {
		return none
	}
	return m.census.of[group].entry
}
