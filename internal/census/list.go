package census

import (
	"encoding/binary"
	"math"
	"sync"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// noRow is the row of a goroutine that never showed a stack, and of an unknown entry.
const noRow = -1

// list is the goroutines of the process in its latest trace, by ascending ID. Each has two
// varints and a byte:
//
//	ID - previous ID,  row in groups + 1,  index in cohorts + 1 or 0 in the highest band
//
// Real processes need about 4 bytes a goroutine.
type list struct {
	varints []byte
	cohorts []cohort // oldest first
	at      time.Duration
	aged    [Bands]int // goroutines
}

// typicalItemSize is how many bytes a goroutine needs in most processes.
const typicalItemSize = 4

// cohort is the goroutines first seen at about the same time. Its value is the time of the
// youngest, so that no goroutine seems older than it is.
type cohort time.Duration

// cohortsPerBound limits the delay with which a goroutine enters a band to 1/64 of the band's
// lower bound: 9 s of 10 min, and 10 min of 10 h 40.
//
// It limits the number of cohorts, so that an index fits into a byte. Goroutines below a bound
// are grouped into cells of 1/64 of it, one cohort a cell (bandScale.sameCohort): at most 64
// cells of goroutines that are not aged; 64*7/8, 64*3/4 and 64/2 of the bands below the
// highest, each of which begins at the end of the previous one; and one more of each, for a
// cell that is cut at both ends. That makes 65 + 57 + 49 + 33 = 204. All goroutines of the
// highest band have the same index.
const cohortsPerBound = 64

// cohortIndexes is the number of values of an index.
const cohortIndexes = math.MaxUint8 + 1

// mergeBuffers are the buffers in which lists are merged.
var mergeBuffers = sync.Pool{New: func() any { return new([]byte) }}

// set copies merged, with little spare capacity, since there may be thousands of lists.
func (l *list) set(merged list) {
	need := len(merged.varints)
	if cap(l.varints) < need || cap(l.varints) > 2*need {
		l.varints = make([]byte, 0, need+need/8)
	}
	l.varints = append(l.varints[:0], merged.varints...)
	l.cohorts, l.at, l.aged = merged.cohorts, merged.at, merged.aged
}

// byIndex returns the band of each cohort index at the time of the list.
func (l *list) byIndex(s *bandScale) (bands [cohortIndexes]int8) {
	bands[0] = Bands - 1
	for i, c := range l.cohorts {
		bands[i+1] = s.band(l.at - time.Duration(c))
	}
	return bands
}

// advance returns the list as of now, still without goroutines, and the new index of each old
// one. Newcomers have the last index. now must not be before the time of the list.
//
// Cohorts that have reached the highest band get index 0. Others of the same band are merged if
// they may share a cohort, but not before they are in that band, which they may still enter at
// different times.
func (l *list) advance(now time.Duration, s *bandScale) (advanced list, became [cohortIndexes]uint8) {
	cohorts := make([]cohort, 0, len(l.cohorts)+1)
	last := int8(Bands - 1) // band of the last of cohorts
	add := func(c cohort) (index uint8) {
		band := s.band(now - time.Duration(c))
		n := len(cohorts)
		switch {
		case band == Bands-1:
			return 0
		case n > 0 && band == last && s.sameCohort(band, time.Duration(cohorts[n-1]), time.Duration(c)):
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

// listItem is a goroutine of the list.
type listItem struct {
	id    uint64
	group int32
	age   uint8 // index of its cohort
}

// cursor reads a list.
type cursor struct {
	rest []byte
	id   uint64
}

// next returns the next goroutine. At the end it returns an ID of math.MaxUint64, which no
// goroutine has.
func (c *cursor) next() listItem {
	if len(c.rest) == 0 {
		return listItem{id: math.MaxUint64}
	}
	c.id += c.varint()
	group := int32(c.varint()) - 1
	age := c.rest[0]
	c.rest = c.rest[1:]
	return listItem{id: c.id, group: group, age: age}
}

func (c *cursor) varint() uint64 {
	if v := c.rest[0]; v < 0x80 { // nearly always, and a third faster
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

	merged             list
	oldBands, newBands [cohortIndexes]int8 // band of each index of the old list, and of merged
	signs              restartSigns
	exits              [][Bands]int64 // by row, and the band that was reached
	exitsWithoutRow    [Bands]int64
}

func newMerge(c *Census, s *stack.Snapshot, rows []int32) *merge {
	return &merge{
		census:   c,
		snapshot: s,
		rows:     rows,
		signs:    restartSigns{highest: c.process.highest, procs: s.Procs},
		exits:    make([][Bands]int64, len(c.groups.rows)),
	}
}

// addNewcomer records a goroutine that was not in the list. It is no sign of a new process if
// its entry is unknown, since it may have existed unseen, nor if it is a callback from C, whose
// thread may have had the ID for long.
func (m *merge) addNewcomer(id uint64, group int32) {
	entry := m.entryOf(group)
	if entry != noRow && !m.fromC(group) && !isRuntimeEntry(m.census.entries.rows[entry].key) {
		m.signs.addNewcomer(id)
	}
}

// fromC reports whether a group is callbacks from C, whose IDs belong to their threads.
func (m *merge) fromC(group int32) bool {
	return group != noRow && m.census.identities[group].fromC
}

// run appends the new list to out, sets the counts of the rows, and collects exits and signs of a
// new process in m.
func (m *merge) run(out []byte, now time.Duration) {
	c := m.census
	var became [cohortIndexes]uint8
	m.oldBands = c.list.byIndex(&c.scale)
	m.merged, became = c.list.advance(now, &c.scale)
	m.newBands = m.merged.byIndex(&c.scale)
	youngest := uint8(len(m.merged.cohorts))
	c.groups.clearCounts()
	c.groups.clearAged()
	c.groups.clearRefs()

	known := cursor{rest: c.list.varints}
	old := known.next()
	var previous uint64
	for _, g := range m.snapshot.Goroutines {
		for ; old.id < g.ID; old = known.next() {
			m.addExit(old)
		}
		group, age := int32(noRow), youngest
		if g.Group != stack.NoGroup {
			group = m.rows[g.Group]
		}
		if old.id == g.ID {
			group, age = m.addSurvivor(old, group), became[old.age]
			old = known.next()
		} else {
			m.addNewcomer(g.ID, group)
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
		m.addExit(old)
	}
	m.merged.varints = out
}

// addSurvivor records a goroutine that was in the list and returns its group. Without a stack
// (now is noRow) it keeps its group.
func (m *merge) addSurvivor(old listItem, now int32) int32 {
	if now == noRow {
		now = old.group
	}
	before, after := m.entryOf(old.group), m.entryOf(now)
	same := before == after || before == noRow || after == noRow || m.fromC(old.group) || m.fromC(now)
	m.signs.addSurvivor(m.oldBands[old.age] != notAged, same)
	return now
}

// addExit counts the exit of a goroutine that is not in the snapshot, if it was aged.
func (m *merge) addExit(g listItem) {
	band := m.oldBands[g.age]
	if band == notAged {
		return
	}
	m.signs.agedExited++
	if g.group == noRow {
		m.exitsWithoutRow[band]++
		return
	}
	m.exits[g.group][band]++
}

func (m *merge) count(group int32, age uint8) {
	band := m.newBands[age]
	if band != notAged {
		m.merged.aged[band]++
	}
	if group == noRow {
		return
	}
	row := &m.census.groups.rows[group]
	row.count++
	row.refs++
	if band != notAged {
		row.bands[band].aged++
	}
}

// entryOf returns the entry of a group, or noRow.
func (m *merge) entryOf(group int32) int32 {
	if group == noRow {
		return noRow
	}
	return m.census.identities[group].entry
}
