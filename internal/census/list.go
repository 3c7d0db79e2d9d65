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

// list is every goroutine of the process at its latest trace, IDs ascending,
// three varints each:
//
//	ID - previous ID,  row in groups + 1,  0 if aged else index in cohorts + 1
//
// Live processes need about 4 bytes a goroutine.
type list struct {
	varints []byte
	cohorts []cohort // the oldest first
	aged    int      // goroutines
}

// usualVarints is how many bytes of varints most processes need for a goroutine.
const usualVarints = 4

// cohort is all goroutines first seen at about the same time.
type cohort struct {
	first, last time.Duration // of the snapshots that it was seen in first
}

// cohortsPerAge bounds the number of cohorts, so that an index is one byte. It
// makes a goroutine look younger than it is by at most 1/64 of agedAfter, which
// is 9 s of the default 10 min, and never older.
const cohortsPerAge = 64

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
	l.cohorts, l.aged = by.cohorts, by.aged
}

// listed is one goroutine of the list.
type listed struct {
	id    uint64
	group int32
	age   int32 // 0 is aged
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
	age := int32(c.varint())
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
	change      change
	exits       []int64 // by row
	exitsOfNone int64
}

func newMerge(c *Census, s *stack.Snapshot, rows []int32) *merge {
	return &merge{
		census:   c,
		snapshot: s,
		rows:     rows,
		change:   change{highest: c.process.highest, procs: s.Procs},
		exits:    make([]int64, len(c.groups.rows)),
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
	cohorts, passed := advance(c.list.cohorts, now, c.agedAfter)
	youngest := int32(len(cohorts))
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
			group, age = m.stayed(old, group), max(old.age-passed, 0)
			old = known.next()
		} else {
			m.joined(g.ID, group)
		}
		if m.fromC(group) {
			age = youngest
		}
		out = binary.AppendUvarint(out, g.ID-previous)
		out = binary.AppendUvarint(out, uint64(group+1))
		out = binary.AppendUvarint(out, uint64(age))
		previous = g.ID
		m.count(group, age)
	}
	for ; old.id != math.MaxUint64; old = known.next() {
		m.gone(old)
	}
	m.merged.varints, m.merged.cohorts = out, cohorts
}

// stayed returns the group of a goroutine that was in group old.group and now
// shows group now: without a stack, it is still where it was.
func (m *merge) stayed(old listed, now int32) int32 {
	if now == none {
		now = old.group
	}
	before, after := m.entry(old.group), m.entry(now)
	same := before == after || before == none || after == none || m.fromC(old.group) || m.fromC(now)
	m.change.stayed(old.age == 0, same)
	return now
}

func (m *merge) gone(g listed) {
	if g.age != 0 {
		return
	}
	m.change.agedGone++
	if g.group == none {
		m.exitsOfNone++
		return
	}
	m.exits[g.group]++
}

func (m *merge) count(group, age int32) {
	aged := 0
	if age == 0 {
		aged = 1
	}
	m.merged.aged += aged
	if group != none {
		row := &m.census.groups.rows[group]
		row.count++
		row.holders++
		row.aged += aged
	}
}

// entry returns the entry of a group, or none if it is not known.
func (m *merge) entry(group int32) int32 {
	if group == none {
		return none
	}
	return m.census.of[group].entry
}

// advance returns the cohorts as of now, without those that have become aged,
// whose number is passed; the last one is that of the newcomers.
func advance(cohorts []cohort, now, agedAfter time.Duration) (advanced []cohort, passed int32) {
	for len(cohorts) > 0 && now-cohorts[0].last >= agedAfter {
		cohorts = cohorts[1:]
		passed++
	}
	advanced = append(make([]cohort, 0, len(cohorts)+1), cohorts...)
	if n := len(advanced); n > 0 && now-advanced[n-1].first < agedAfter/cohortsPerAge {
		advanced[n-1].last = now
		return advanced, passed
	}
	return append(advanced, cohort{first: now, last: now}), passed
}
