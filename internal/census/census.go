// Package census compares the snapshots of one process goroutine by goroutine:
// how many there are of each group, how many of them are old, and how many old
// ones have left.
//
// It is pure: snapshots and their times in, numbers out. What it keeps of a
// process between two snapshots is one list, about 4 bytes a goroutine, and a few
// hundred bytes for each group (list.go, table.go). How old is told by age bands
// (bands.go).
package census

import (
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Census is what is known of one process, or of one target whose process is
// replaced now and then. It is not safe for concurrent use.
type Census struct {
	scale scale

	// begun is the time of the first snapshot ever. All other times are
	// counted from it, so that a step of the wall clock ages nobody. now is that of
	// the latest, and never goes back.
	begun   time.Time
	now     time.Duration
	start   time.Time // of this process
	created int64     // goroutines, since start
	process process
	list    list

	groups  table[stack.ID]
	entries table[string]
	// of is parallel to the rows of groups, and files to those of entries.
	of    []identity
	files []string
}

// identity is what a group is, beside its numbers.
type identity struct {
	signature stack.Signature
	entry     int32 // row in entries; none if the entry is not known
}

// New returns the census of a process that has not been seen yet. A goroutine is
// aged when it was first seen at least agedAfter ago; how old aged ones are is told by
// bands (Bounds). A report has at most
// maxRows groups and as many entries, the rest in one row more each.
func New(agedAfter time.Duration, maxRows int) *Census {
	return &Census{
		scale:   newScale(agedAfter),
		groups:  newTable[stack.ID](maxRows),
		entries: newTable[string](maxRows),
	}
}

// OfThisProcess returns the census of the caller's own process: as New, but whatever
// its snapshots show, it is never taken for another one.
func OfThisProcess(agedAfter time.Duration, maxRows int) *Census {
	c := New(agedAfter, maxRows)
	c.process.own = true
	return c
}

// Report is the census of one process at one time.
type Report struct {
	// Start is when this process was first seen: the time since which exits
	// and creations are counted.
	Start time.Time
	// Restarted reports whether the process is another one than that of the
	// report before.
	Restarted bool
	// Count is the number of goroutines in the process.
	Count int
	// Complete tells whether ages, exits and creations are known as of this
	// snapshot. A goroutine profile tells counts only.
	Complete bool
	// Creations is the number of goroutines created since Start, right to
	// within 16 times GOMAXPROCS, because each P draws IDs 16 at a time.
	Creations int64
	// Bounds are the lower bounds of the age bands.
	Bounds [Bands]time.Duration
	// Groups and Entries each sum up to Count.
	Groups  []Group
	Entries []Entry
}

// Numbers are those of a group or an entry.
type Numbers struct {
	Count int         // goroutines now
	Bands [Bands]Band // the youngest first
}

// Band is what is known of the aged goroutines in one age band. The bands are disjoint.
// Aged and Exits are meaningless in a report that is not Complete.
type Band struct {
	Aged     int   // goroutines now
	Exits    int64 // goroutines since Start that were last seen here, in this band, and are gone
	NewExits int64 // those of Exits that were in no report before

	// SendAged and SendExits tell whether there is to be a point of Aged, and of Exits.
	// In a report that is Complete the lowest band has both, even if they are 0, which
	// says that bands without a point are empty at that time. A higher band has a point
	// of Aged while there is anybody in it and at 0 a few times after, and one of Exits
	// from the first exit on. Most groups therefore need no more than the lowest band
	// and one other.
	SendAged, SendExits bool
}

// Group is one row of a report by signature.
type Group struct {
	Signature stack.Signature
	// Other marks the sum of all groups that have no row of their own, and
	// of the goroutines that never showed a stack. It has no signature.
	Other bool
	Numbers
}

// Entry is one row of a report by entry function.
type Entry struct {
	Function string
	// File is the source file of Function, empty if it is not known.
	File string
	// Other marks the sum of all entries that have no row of their own, and
	// of the goroutines whose entry is not known. It has no function and no file.
	Other bool
	Numbers
}

// Reconnected notes that the process is reached over a new connection, which a process
// that was replaced forces. It holds for the snapshots that are observed next.
func (c *Census) Reconnected() {
	c.process.reconnected, c.process.reconnectedSinceTrace = true, true
}

// Observe takes the next snapshot of the process and returns its census. The
// snapshot's goroutines must be sorted by ID, and IDs are below 2^63, as the
// runtime's are.
func (c *Census) Observe(s *stack.Snapshot, at time.Time) Report {
	if c.begun.IsZero() {
		c.begun, c.start = at, at
	}
	c.now = max(c.now, at.Sub(c.begun))
	agedAfter := c.scale.bounds[0]
	rows := c.rowsOf(s)

	var restarted bool
	if s.Source == stack.SourceTrace {
		restarted = c.compare(s, rows, at)
	} else {
		restarted = c.headcount(s, rows, at)
	}
	c.created += c.process.observe(s, c.now)
	c.sumEntries()
	c.entries.noteResidents(c.now, agedAfter)
	c.groups.settle(c.now, agedAfter)
	c.entries.settle(c.now, agedAfter)
	report := c.report(s)
	report.Restarted = restarted
	c.forget()
	return report
}

// rowsOf returns the row of each of the snapshot's groups.
func (c *Census) rowsOf(s *stack.Snapshot) []int32 {
	rows := make([]int32, len(s.Groups))
	for i, g := range s.Groups {
		row, added := c.groups.row(g.ID)
		if added {
			c.identify(row, g.Signature)
		}
		rows[i] = row
	}
	return rows
}

func (c *Census) identify(row int32, signature stack.Signature) {
	id := identity{signature: signature, entry: none}
	if signature.Entry != "" {
		id.entry = c.entry(signature.Entry, signature.EntryFile)
	}
	if int(row) == len(c.of) {
		c.of = append(c.of, id)
		return
	}
	c.of[row] = id
}

// entry returns the row of an entry that another group has; none if there is no room.
func (c *Census) entry(function, file string) int32 {
	row, added := c.entries.row(function)
	switch {
	case row == none:
		return none
	case added && int(row) == len(c.files):
		c.files = append(c.files, file)
	case added:
		c.files[row] = file
	}
	c.entries.rows[row].holders++
	return row
}

// headcount takes over the counts of a snapshot without IDs and reports whether the
// process is another one.
func (c *Census) headcount(s *stack.Snapshot, rows []int32, at time.Time) bool {
	c.groups.clearCounts()
	for i, g := range s.Groups {
		if rows[i] != none {
			c.groups.rows[rows[i]].count += g.Count
		}
	}
	c.sumEntries()
	residents, gone := c.entries.residents()
	restarted := c.process.replacedInProfile(s.Build, residents, gone, c.now, c.scale.bounds[0])
	if restarted {
		c.restart(at)
		c.groups.clearAged()
		c.groups.clearHolders()
	}
	return restarted
}

// restart begins afresh with a new process.
func (c *Census) restart(at time.Time) {
	c.start, c.created = at, 0
	c.process, c.list = process{}, list{}
	c.groups.restart()
	c.entries.restart()
}

// compare merges the snapshot into the list and reports whether the process is
// another one. What it counts goes to the rows.
func (c *Census) compare(s *stack.Snapshot, rows []int32, at time.Time) bool {
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)

	*buffer = slices.Grow((*buffer)[:0], max(len(c.list.varints), usualVarints*len(s.Goroutines)))
	m := newMerge(c, s, rows)
	m.run(*buffer, c.now)
	restarted := c.process.replaced(&m.change)
	if restarted {
		c.restart(at)
		*buffer = m.merged.varints
		m = newMerge(c, s, rows)
		m.run((*buffer)[:0], c.now)
	}
	*buffer = m.merged.varints
	c.list.replace(m.merged)
	c.credit(m.exits, m.exitsOfNone)
	return restarted
}

// credit adds exits to the rows in which they are reported: the group's own if it
// is listed, else that of all others, so that no row ever counts down.
func (c *Census) credit(exits [][Bands]int64, ofNone [Bands]int64) {
	c.groups.credit(none, ofNone)
	c.entries.credit(none, ofNone)
	for row, n := range exits {
		if n == [Bands]int64{} {
			continue
		}
		c.groups.credit(int32(row), n)
		c.entries.credit(c.of[row].entry, n)
	}
}

// sumEntries gives each entry the counts of its groups.
func (c *Census) sumEntries() {
	c.entries.clearCounts()
	c.entries.clearAged()
	for row := range c.groups.rows {
		if entry := c.of[row].entry; entry != none {
			c.entries.rows[entry].add(c.groups.rows[row].count, &c.groups.rows[row].bands)
		}
	}
}

// forget drops the groups that nothing refers to any more, then the entries.
func (c *Census) forget() {
	c.groups.forget(func(row int32) {
		if entry := c.of[row].entry; entry != none {
			c.entries.rows[entry].holders--
		}
		c.of[row] = identity{entry: none}
	})
	c.entries.forget(func(int32) {})
}

func (c *Census) report(s *stack.Snapshot) Report {
	r := Report{
		Start:     c.start,
		Count:     s.Count(),
		Complete:  s.Source == stack.SourceTrace,
		Creations: c.created,
		Bounds:    c.scale.bounds,
	}
	for _, row := range c.groups.listed {
		r.Groups = append(r.Groups, Group{Signature: c.of[row].signature, Numbers: c.groups.rows[row].numbers(r.Complete)})
	}
	if n, ok := c.groups.remainder(r.Count, c.list.aged, r.Complete); ok {
		r.Groups = append(r.Groups, Group{Other: true, Numbers: n})
	}
	for _, row := range c.entries.listed {
		r.Entries = append(r.Entries, Entry{Function: c.entries.rows[row].key, File: c.files[row], Numbers: c.entries.rows[row].numbers(r.Complete)})
	}
	if n, ok := c.entries.remainder(r.Count, c.list.aged, r.Complete); ok {
		r.Entries = append(r.Entries, Entry{Other: true, Numbers: n})
	}
	return r
}
