package census

import (
	"cmp"
	"slices"
	"time"
)

// table holds the rows of one level, groups or entries, and chooses which of them
// are reported. Rows are referred to by their index, which stays the same for as
// long as anything refers to it.
type table[K comparable] struct {
	max   int // rows reported
	index map[K]int32
	rows  []row[K]
	free  []int32

	listed []int32 // the rows reported, ascending

	// windowFrom is when the present window of lowest counts began; windows counts
	// them since the process was first seen, 0 before.
	windowFrom time.Duration
	windows    int

	// other is the row of all that is not listed. Its exits are counted, its
	// other numbers are what is left of the totals.
	other struct {
		bands bands
		seen  bool
	}
}

// row is what is counted of one group or one entry.
type row[K comparable] struct {
	key     K
	used    bool
	listed  bool
	count   int
	bands   bands
	holders int           // goroutines in the list, of a group; groups, of an entry
	lowest  int           // count in the present window
	before  int           // lowest count in the window before
	emptied time.Duration // when count was first seen to be 0, or stillHeld
}

// bands are what is counted of the aged goroutines of a row.
type bands [Bands]band

// band is what is counted of a row in one age band.
type band struct {
	aged  int
	exits counter
	zeros int // how many more times an aged of 0 is sent
}

// counter counts up.
type counter struct {
	total      int64
	unreported int64 // of it
}

func (c *counter) add(n int64) {
	c.total += n
	c.unreported += n
}

// takeUnreported takes back what is in no report yet.
func (c *counter) takeUnreported() int64 {
	n := c.unreported
	c.total, c.unreported = c.total-n, 0
	return n
}

// report returns the total, and what was added since it was reported last.
func (c *counter) report() (total, added int64) {
	added = c.unreported
	c.unreported = 0
	return c.total, added
}

// emptyLooks is how many times a band that has become empty is sent as 0. Once would do,
// if nothing were ever lost: the point of the lowest band says that there is nobody in
// those without one. It is for readers that know no bands and keep the last value of a
// series. A scrape fails now and then, hardly three of them in turn; and to send more
// would be to send series of nothing.
const emptyLooks = 3

// report returns what is reported of a band. Its new exits are then new no more.
func (b *band) report(lowest, complete bool) Band {
	r := Band{Aged: b.aged}
	r.Exits, r.NewExits = b.exits.report()
	if !complete {
		return r
	}
	r.SendAged = lowest || b.aged > 0 || b.zeros > 0
	r.SendExits = lowest || r.Exits > 0
	if b.aged > 0 {
		b.zeros = emptyLooks
	} else {
		b.zeros = max(b.zeros-1, 0)
	}
	return r
}

func (b *bands) report(count int, complete bool) Numbers {
	n := Numbers{Count: count}
	for i := range b {
		n.Bands[i] = b[i].report(i == 0, complete)
	}
	return n
}

// aged returns the number of aged goroutines of all bands.
func (b *bands) aged() int {
	n := 0
	for i := range b {
		n += b[i].aged
	}
	return n
}

// hasExits reports whether there were exits from any band.
func (b *bands) hasExits() bool {
	return slices.ContainsFunc(b[:], func(b band) bool { return b.exits.total > 0 })
}

func (b *bands) clearAged() {
	for i := range b {
		b[i].aged = 0
	}
}

func (b *bands) clearExits() {
	for i := range b {
		b[i].exits = counter{}
	}
}

func (b *bands) credit(exits [Bands]int64) {
	for i := range b {
		b[i].exits.add(exits[i])
	}
}

// stillHeld is the emptied of a row whose count is above 0.
const stillHeld = time.Duration(-1)

// maxTableRows bounds the rows of a hostile process, which could show as many
// groups as goroutines. Large services have some hundreds. What goes beyond is
// counted as other.
const maxTableRows = 16384

// remembered is how many rows that are empty and not listed keep their exits,
// as a multiple of the rows listed, so that the counter of a group that comes
// and goes does not begin anew each time.
const remembered = 4

func newTable[K comparable](maxRows int) table[K] {
	return table[K]{max: maxRows, index: make(map[K]int32)}
}

// row returns the row of a key, and whether it is a new one. It returns none if
// the table is full.
func (t *table[K]) row(key K) (index int32, added bool) {
	if i, ok := t.index[key]; ok {
		return i, false
	}
	fresh := row[K]{key: key, used: true, emptied: stillHeld}
	if n := len(t.free); n > 0 {
		index = t.free[n-1]
		t.free = t.free[:n-1]
		t.rows[index] = fresh
	} else if len(t.rows) < maxTableRows {
		index = int32(len(t.rows))
		t.rows = append(t.rows, fresh)
	} else {
		return none, false
	}
	t.index[key] = index
	return index, true
}

func (t *table[K]) clearCounts() {
	for i := range t.rows {
		t.rows[i].count = 0
	}
}

func (t *table[K]) clearAged() {
	for i := range t.rows {
		t.rows[i].bands.clearAged()
	}
}

func (t *table[K]) clearHolders() {
	for i := range t.rows {
		t.rows[i].holders = 0
	}
}

// restart begins the counters anew, for a new process.
func (t *table[K]) restart() {
	for i := range t.rows {
		t.rows[i].bands.clearExits()
	}
	t.other.bands.clearExits()
	t.windows = 0
}

// noteResidents takes the present counts into the lowest ones, in windows of the given
// length.
func (t *table[K]) noteResidents(now, length time.Duration) {
	next := t.windows == 0 || now-t.windowFrom >= length
	if next {
		t.windows++
		t.windowFrom = now
	}
	for i := range t.rows {
		r := &t.rows[i]
		if next {
			r.before, r.lowest = r.lowest, r.count
		}
		r.lowest = min(r.lowest, r.count)
	}
}

// residents returns how many goroutines were in their rows in every snapshot of this
// window and the one before, as far as there were any, and how many of them are not
// there now.
func (t *table[K]) residents() (residents, gone int) {
	if t.windows == 0 {
		return 0, 0
	}
	for i := range t.rows {
		n := t.rows[i].lowest
		if t.windows > 1 {
			n = min(n, t.rows[i].before)
		}
		residents += n
		gone += max(0, n-t.rows[i].count)
	}
	return residents, gone
}

// takeUnreported moves the exits that are in no report yet from another row.
func (b *bands) takeUnreported(from *bands) {
	for i := range b {
		b[i].exits.add(from[i].exits.takeUnreported())
	}
}

// credit adds exits to the row in which they are reported, that of all others
// unless it is listed itself, so that no counter ever goes down.
func (t *table[K]) credit(index int32, exits [Bands]int64) {
	if index != none && t.rows[index].listed {
		t.rows[index].bands.credit(exits)
		return
	}
	t.other.bands.credit(exits)
}

// settle chooses which rows are listed from now on: all that fit, the largest
// first. A listed row stays so while it is empty for less than keep, for a
// reader to see it fall to 0, and until another outweighs it clearly. The exits that one
// has had since the last report, if it goes, are reported in the row of all others.
func (t *table[K]) settle(now, keep time.Duration) {
	t.listed = t.listed[:0]
	for i := range t.rows {
		r := &t.rows[i]
		switch {
		case r.count > 0:
			r.emptied = stillHeld
		case r.emptied == stillHeld:
			r.emptied = now
		}
		if r.used && (r.count > 0 || r.listed && now-r.emptied < keep) {
			t.listed = append(t.listed, int32(i))
		}
	}
	if len(t.listed) > t.max {
		slices.SortStableFunc(t.listed, func(a, b int32) int {
			return cmp.Compare(t.rows[b].weight(), t.rows[a].weight())
		})
		t.listed = t.listed[:t.max]
		slices.Sort(t.listed)
	}
	for i := range t.rows {
		t.rows[i].listed = false
	}
	for _, i := range t.listed {
		t.rows[i].listed = true
	}
	for i := range t.rows {
		if r := &t.rows[i]; !r.listed {
			t.other.bands.takeUnreported(&r.bands)
		}
	}
}

// weight ranks a row. The aged count twice, since it is they that a leak is made
// of. Whoever is listed has a quarter more than it weighs: that is wider than the
// swing of a busy group from one minute to the next, so groups do not flap in and
// out, and narrow enough for a leak to push its way in.
func (r *row[K]) weight() int {
	w := 4 * (r.count + r.bands.aged())
	if r.listed {
		w += w/4 + 1
	}
	return w
}

// add adds the counts of another row.
func (r *row[K]) add(count int, of *bands) {
	r.count += count
	for i := range of {
		r.bands[i].aged += of[i].aged
	}
}

// numbers returns what is reported of the row.
func (r *row[K]) numbers(complete bool) Numbers {
	return r.bands.report(r.count, complete)
}

// remainder returns the row of all others, what is left of the totals, and
// whether there is need for one. Once there was, it stays.
func (t *table[K]) remainder(count int, aged [Bands]int, complete bool) (Numbers, bool) {
	for i := range aged {
		t.other.bands[i].aged = aged[i]
	}
	for _, i := range t.listed {
		r := &t.rows[i]
		count -= r.count
		for k := range r.bands {
			t.other.bands[k].aged -= r.bands[k].aged
		}
	}
	t.other.seen = t.other.seen || count > 0 || t.other.bands.hasExits()
	return t.other.bands.report(count, complete), t.other.seen
}

// forget drops the rows that nothing refers to, telling each to dropped. Those
// with exits are remembered as far as there is room.
func (t *table[K]) forget(dropped func(index int32)) {
	var resting []int32
	for i := range t.rows {
		r := &t.rows[i]
		switch {
		case !r.used || r.listed || r.count > 0 || r.holders > 0:
		case r.bands.hasExits():
			resting = append(resting, int32(i))
		default:
			t.drop(int32(i), dropped)
		}
	}
	if excess := len(resting) - remembered*t.max; excess > 0 {
		slices.SortFunc(resting, func(a, b int32) int {
			return cmp.Compare(t.rows[a].emptied, t.rows[b].emptied)
		})
		for _, i := range resting[:excess] {
			t.drop(i, dropped)
		}
	}
}

func (t *table[K]) drop(index int32, dropped func(index int32)) {
	dropped(index)
	delete(t.index, t.rows[index].key)
	t.rows[index] = row[K]{}
	t.free = append(t.free, index)
}
