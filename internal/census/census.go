// Package census compares consecutive snapshots of a process goroutine by goroutine: how many
// goroutines each group has, how many of them are aged, and how many aged ones have exited.
//
// It is pure: snapshots and their times in, numbers out. Between two snapshots it keeps one
// list of about 4 bytes a goroutine, and a few hundred bytes for each group (list.go,
// table.go). Ages are grouped into bands (bands.go).
package census

import (
	"slices"
	"time"
	"unique"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Census compares the snapshots of one process, or of one target whose process may be
// replaced. It is not safe for concurrent use.
type Census struct {
	scale bandScale

	// epoch is the time of the first snapshot. All other times are relative to it. now is
	// the time of the latest snapshot and never decreases, even if the clock does.
	epoch     time.Time
	now       time.Duration
	start     time.Time // of this process
	creations int64     // of goroutines since start
	process   process
	list      list

	groups  table[stack.ID]
	entries table[string]
	// identities is parallel to the rows of groups, and files to those of entries.
	identities []identity
	files      []string
}

// identity identifies a group.
type identity struct {
	// signature is shared by all processes that have the group: the instances of a service
	// keep its names once.
	signature unique.Handle[stack.Signature]
	entry     int32 // row in entries; noRow if the entry is unknown
	fromC     bool  // of the signature
}

// New returns an empty census. A goroutine is aged if it was first seen at least agedAfter ago;
// Bounds returns the age bands. A report has at most maxRows groups and as many entries, and a
// row for the rest of each.
func New(agedAfter time.Duration, maxRows int) *Census {
	return &Census{
		scale:   newScale(agedAfter),
		groups:  newTable[stack.ID](maxRows),
		entries: newTable[string](maxRows),
	}
}

// NewOwn is like New for the caller's own process, which cannot be replaced by another one.
func NewOwn(agedAfter time.Duration, maxRows int) *Census {
	c := New(agedAfter, maxRows)
	c.process.isOwn = true
	return c
}

// Report is the census of one process at one time.
type Report struct {
	// Start is when this process was first seen. Exits and Creations are counted from then.
	Start time.Time
	// Restarted reports whether this is another process than in the previous report.
	Restarted bool
	// Count is the number of goroutines in the process.
	Count int
	// Complete reports whether ages, exits and creations are known as of this snapshot. A
	// goroutine profile has counts only.
	Complete bool
	// Creations is the number of goroutines created since Start, accurate to within 16
	// times GOMAXPROCS, since each P reserves 16 IDs at a time.
	Creations int64
	// Bounds are the lower bounds of the age bands.
	Bounds [Bands]time.Duration
	// Groups and Entries each add up to Count.
	Groups  []Group
	Entries []Entry
}

// Numbers are the counts of a group or an entry.
type Numbers struct {
	Count int         // goroutines now
	Bands [Bands]Band // youngest first
}

// Band is the counts of aged goroutines in one age band. The bands are disjoint. Aged and Exits
// are meaningless in a report that is not Complete.
type Band struct {
	Aged     int   // goroutines now
	Exits    int64 // goroutines since Start that have exited, and were last seen in this band of the group
	NewExits int64 // those of Exits that no previous report has

	// SendAged and SendExits report whether to send a data point for Aged and for Exits.
	// In a Complete report the lowest band has both, even if they are 0, which means that
	// bands without a point are empty at that time. A higher band has a point for Aged
	// while it is not empty and a few times after, and a point for Exits from the first
	// exit on. So most groups need only the lowest band and one other.
	SendAged, SendExits bool
}

// Group is a row of a report by signature.
type Group struct {
	Signature stack.Signature
	// Other marks the sum of all groups without a row of their own, and of goroutines that
	// never showed a stack. It has no signature.
	Other bool
	Numbers
}

// Entry is a row of a report by entry function.
type Entry struct {
	Function string
	// File is the source file of Function, empty if unknown.
	File string
	// Other marks the sum of all entries without a row of their own, and of goroutines
	// whose entry is unknown. It has no function and no file.
	Other bool
	Numbers
}

// Reconnected records that the next snapshot comes over a new connection, which is necessary
// after the process was replaced.
func (c *Census) Reconnected() {
	c.process.reconnected, c.process.reconnectedSinceTrace = true, true
}

// Observe adds the next snapshot of the process, taken at the given time, and returns the
// report. The goroutines of s must be sorted by ID, and IDs must be below 2^63, like the
// runtime's.
func (c *Census) Observe(s *stack.Snapshot, at time.Time) Report {
	if c.epoch.IsZero() {
		c.epoch, c.start = at, at
	}
	c.now = max(c.now, at.Sub(c.epoch))
	agedAfter := c.scale.bounds[0]
	rows := c.rowsOf(s)

	var restarted bool
	if s.Source == stack.SourceTrace {
		restarted = c.observeTrace(s, rows, at)
	} else {
		restarted = c.observeProfile(s, rows, at)
	}
	c.creations += c.process.observe(s, c.now)
	c.sumEntries()
	c.entries.updateWindow(c.now, agedAfter)
	c.groups.updateListed(c.now, agedAfter)
	c.entries.updateListed(c.now, agedAfter)
	report := c.report(s)
	report.Restarted = restarted
	c.prune()
	return report
}

// rowsOf returns the row of each group of the snapshot.
func (c *Census) rowsOf(s *stack.Snapshot) []int32 {
	rows := make([]int32, len(s.Groups))
	for i, g := range s.Groups {
		row, added := c.groups.row(g.ID)
		if added {
			c.setIdentity(row, g.Signature)
		}
		rows[i] = row
	}
	return rows
}

func (c *Census) setIdentity(row int32, signature stack.Signature) {
	id := identity{signature: unique.Make(signature), entry: noRow, fromC: signature.FromC}
	if signature.Entry != "" {
		id.entry = c.entryRow(signature.Entry, signature.EntryFile)
	}
	if int(row) == len(c.identities) {
		c.identities = append(withRoom(c.identities), id)
		return
	}
	c.identities[row] = id
}

// entryRow returns the row of the entry of a new group; noRow if the table is full.
func (c *Census) entryRow(function, file string) int32 {
	row, added := c.entries.row(function)
	switch {
	case row == noRow:
		return noRow
	case added && int(row) == len(c.files):
		c.files = append(withRoom(c.files), file)
	case added:
		c.files[row] = file
	}
	c.entries.rows[row].refs++
	return row
}

// observeProfile sets the counts from a snapshot without IDs, and reports whether the process was
// replaced.
func (c *Census) observeProfile(s *stack.Snapshot, rows []int32, at time.Time) bool {
	c.groups.clearCounts()
	for i, g := range s.Groups {
		if rows[i] != noRow {
			c.groups.rows[rows[i]].count += g.Count
		}
	}
	c.sumEntries()
	residents, gone := c.entries.residents()
	restarted := c.process.replacedInProfile(s.Build, residents, gone, c.now, c.scale.bounds[0])
	if restarted {
		c.restart(at)
		c.groups.clearAged()
		c.groups.clearRefs()
	}
	return restarted
}

// restart resets the census for a new process.
func (c *Census) restart(at time.Time) {
	c.start, c.creations = at, 0
	c.process, c.list = process{}, list{}
	c.groups.restart()
	c.entries.restart()
}

// observeTrace merges the snapshot into the list, updates the rows, and reports whether the
// process was replaced.
func (c *Census) observeTrace(s *stack.Snapshot, rows []int32, at time.Time) bool {
	buffer := mergeBuffers.Get().(*[]byte)
	defer mergeBuffers.Put(buffer)

	*buffer = slices.Grow((*buffer)[:0], max(len(c.list.varints), typicalItemSize*len(s.Goroutines)))
	m := newMerge(c, s, rows)
	m.run(*buffer, c.now)
	restarted := c.process.replaced(&m.signs)
	if restarted {
		c.restart(at)
		*buffer = m.merged.varints
		m = newMerge(c, s, rows)
		m.run((*buffer)[:0], c.now)
	}
	*buffer = m.merged.varints
	c.list.set(m.merged)
	c.credit(m.exits, m.exitsWithoutRow)
	return restarted
}

// credit adds exits to the rows that report them: the row of the group if it is listed, else the
// row of all others, so that no counter ever decreases.
func (c *Census) credit(exits [][Bands]int64, ofNone [Bands]int64) {
	c.groups.credit(noRow, ofNone)
	c.entries.credit(noRow, ofNone)
	for row, n := range exits {
		if n == [Bands]int64{} {
			continue
		}
		c.groups.credit(int32(row), n)
		c.entries.credit(c.identities[row].entry, n)
	}
}

// sumEntries sets the counts of each entry to the sum of its groups.
func (c *Census) sumEntries() {
	c.entries.clearCounts()
	c.entries.clearAged()
	for row := range c.groups.rows {
		if entry := c.identities[row].entry; entry != noRow {
			c.entries.rows[entry].add(c.groups.rows[row].count, &c.groups.rows[row].bands)
		}
	}
}

// prune removes the groups that are no longer referred to, then the entries.
func (c *Census) prune() {
	c.groups.prune(func(row int32) {
		if entry := c.identities[row].entry; entry != noRow {
			c.entries.rows[entry].refs--
		}
		c.identities[row] = identity{entry: noRow}
	})
	c.entries.prune(func(int32) {})
}

func (c *Census) report(s *stack.Snapshot) Report {
	r := Report{
		Start:     c.start,
		Count:     s.Count(),
		Complete:  s.Source == stack.SourceTrace,
		Creations: c.creations,
		Bounds:    c.scale.bounds,
	}
	for _, row := range c.groups.listed {
		r.Groups = append(r.Groups, Group{Signature: c.identities[row].signature.Value(), Numbers: c.groups.rows[row].numbers(r.Complete)})
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
