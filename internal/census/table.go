package census

import (
	"cmp"
	"slices"
	"time"
)

// table holds the rows of groups or of entries, and selects which of them are reported. The index
// of a row does not change while anything refers to it.
type table[K cmp.Ordered] struct {
	maxListed int // rows reported
	rows      []row[K]
	sorted    []int32 // used rows, by key
	free      []int32

	listed []int32 // rows reported, ascending

	// windowFrom is the start of the current window of lowest counts; windows is the number
	// of windows of this process.
	windowFrom time.Duration
	windows    int

	// other is the row of everything that is not listed. Its exits are counted, its other
	// numbers are the rest of the totals.
	other struct {
		bands bands
		seen  bool
	}
}

// row is the counts of one group or entry. A collector may hold a million rows, so counts that the
// size of a trace limits have 32 bits. A profile may contain any count.
type row[K cmp.Ordered] struct {
	key            K
	emptied        time.Duration // when count became 0, or notEmpty
	bands          bands
	count          int
	lowest         int   // lowest count in the current window
	previousLowest int   // lowest count in the previous window
	refs           int32 // goroutines in the list that refer to a group; groups that refer to an entry
	used           bool
	listed         bool
}

// bands are the counts of aged goroutines of a row.
type bands [Bands]band

// band is the counts of a row in one age band.
type band struct {
	exits      int64
	unreported int32 // part of exits
	aged       int32
	zeros      uint8 // how many more times aged is sent if it is 0
}

func (b *band) addExits(n int64) {
	b.exits += n
	b.unreported += int32(n)
}

// takeUnreported removes and returns the exits that have not been reported yet.
func (b *band) takeUnreported() int64 {
	n := int64(b.unreported)
	b.exits, b.unreported = b.exits-n, 0
	return n
}

// zeroRepeats is how many times a band that has become empty is sent as 0, for backends that
// show the last value of a series. (Our own readers need none: a point of the lowest band means
// that bands without a point are empty.) A scrape may fail, but hardly three in a row.
const zeroRepeats = 3

// report returns the band for a report, and marks its exits as reported.
func (b *band) report(lowest, complete bool) Band {
	r := Band{Aged: int(b.aged), Exits: b.exits, NewExits: int64(b.unreported)}
	b.unreported = 0
	if !complete {
		return r
	}
	r.SendAged = lowest || b.aged > 0 || b.zeros > 0
	r.SendExits = lowest || r.Exits > 0
	if b.aged > 0 {
		b.zeros = zeroRepeats
	} else if b.zeros > 0 {
		b.zeros--
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

// aged returns the number of aged goroutines in all bands.
func (b *bands) aged() int {
	n := 0
	for i := range b {
		n += int(b[i].aged)
	}
	return n
}

// hasExits reports whether any band had exits.
func (b *bands) hasExits() bool {
	return slices.ContainsFunc(b[:], func(b band) bool { return b.exits > 0 })
}

func (b *bands) clearAged() {
	for i := range b {
		b[i].aged = 0
	}
}

func (b *bands) clearExits() {
	for i := range b {
		b[i].exits, b[i].unreported = 0, 0
	}
}

func (b *bands) credit(exits [Bands]int64) {
	for i := range b {
		b[i].addExits(exits[i])
	}
}

// notEmpty is row.emptied while the count is above 0.
const notEmpty = time.Duration(-1)

// maxTableRows limits the rows of a hostile process, which could have as many groups as
// goroutines. Large services have some hundreds. Groups beyond the limit count as other.
const maxTableRows = 16384

// restingFactor is how many empty rows that are not listed keep their exits, as a multiple of the
// listed rows, so that the counter of a group that comes and goes is not reset each time.
const restingFactor = 4

func newTable[K cmp.Ordered](maxRows int) table[K] { return table[K]{maxListed: maxRows} }

// row returns the row of a key, and whether it was added. It returns noRow if the table is full.
func (t *table[K]) row(key K) (index int32, added bool) {
	at, known := t.find(key)
	if known {
		return t.sorted[at], false
	}
	fresh := row[K]{key: key, used: true, emptied: notEmpty}
	if n := len(t.free); n > 0 {
		index = t.free[n-1]
		t.free = t.free[:n-1]
		t.rows[index] = fresh
	} else if len(t.rows) < maxTableRows {
		index = int32(len(t.rows))
		t.rows = append(withRoom(t.rows), fresh)
	} else {
		return noRow, false
	}
	t.sorted = slices.Insert(withRoom(t.sorted), at, index)
	return index, true
}

// find returns where in sorted the row of a key is, or would be.
func (t *table[K]) find(key K) (at int, known bool) {
	return slices.BinarySearchFunc(t.sorted, key, func(i int32, key K) int { return cmp.Compare(t.rows[i].key, key) })
}

// withRoom returns a slice with room for one more. It grows by an eighth and not by half, since
// there is one of each process, and most never grow again.
func withRoom[S ~[]E, E any](s S) S {
	if len(s) < cap(s) {
		return s
	}
	return append(make(S, 0, len(s)+len(s)/8+8), s...)
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

func (t *table[K]) clearRefs() {
	for i := range t.rows {
		t.rows[i].refs = 0
	}
}

// restart resets the counters for a new process.
func (t *table[K]) restart() {
	for i := range t.rows {
		t.rows[i].bands.clearExits()
	}
	t.other.bands.clearExits()
	t.windows = 0
}

// updateWindow updates the lowest counts, in windows of the given length.
func (t *table[K]) updateWindow(now, length time.Duration) {
	next := t.windows == 0 || now-t.windowFrom >= length
	if next {
		t.windows++
		t.windowFrom = now
	}
	for i := range t.rows {
		r := &t.rows[i]
		if next {
			r.previousLowest, r.lowest = r.lowest, r.count
		}
		r.lowest = min(r.lowest, r.count)
	}
}

// residents returns the lowest count over this window and the previous one, summed over all rows,
// and how many of these goroutines are gone now.
func (t *table[K]) residents() (residents, gone int) {
	if t.windows == 0 {
		return 0, 0
	}
	for i := range t.rows {
		n := t.rows[i].lowest
		if t.windows > 1 {
			n = min(n, t.rows[i].previousLowest)
		}
		residents += n
		gone += max(0, n-t.rows[i].count)
	}
	return residents, gone
}

// takeUnreported moves the unreported exits of another row to b.
func (b *bands) takeUnreported(from *bands) {
	for i := range b {
		b[i].addExits(from[i].takeUnreported())
	}
}

// credit adds exits to a row if it is listed, else to the row of all others, so that no counter
// ever decreases.
func (t *table[K]) credit(index int32, exits [Bands]int64) {
	if index != noRow && t.rows[index].listed {
		t.rows[index].bands.credit(exits)
		return
	}
	t.other.bands.credit(exits)
}

// updateListed selects the rows to list: as many as fit, by weight. A listed row stays listed
// until it has been empty for keep, so that its count is seen to fall to 0, or another row clearly
// outweighs it. Unreported exits of a row that is no longer listed move to the row of all others.
func (t *table[K]) updateListed(now, keep time.Duration) {
	t.listed = t.listed[:0]
	for i := range t.rows {
		r := &t.rows[i]
		switch {
		case r.count > 0:
			r.emptied = notEmpty
		case r.emptied == notEmpty:
			r.emptied = now
		}
		if r.used && (r.count > 0 || r.listed && now-r.emptied < keep) {
			t.listed = append(t.listed, int32(i))
		}
	}
	if len(t.listed) > t.maxListed {
		slices.SortStableFunc(t.listed, func(a, b int32) int {
			return cmp.Compare(t.rows[b].weight(), t.rows[a].weight())
		})
		t.listed = t.listed[:t.maxListed]
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

// weight ranks a row. Aged goroutines count twice, since leaks consist of them. A listed row
// weighs a quarter more: that is more than a busy group varies from one minute to the next, so
// rows do not flap, and little enough for a leak to displace another row.
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

// numbers returns the numbers of the row for a report.
func (r *row[K]) numbers(complete bool) Numbers {
	return r.bands.report(r.count, complete)
}

// remainder returns the row of all others, which is the rest of the totals, and whether to report
// it. Once reported, it always is.
func (t *table[K]) remainder(count int, aged [Bands]int, complete bool) (Numbers, bool) {
	for i := range aged {
		t.other.bands[i].aged = int32(aged[i])
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

// prune removes the rows that nothing refers to, and calls dropped for each. Rows with exits are
// kept as far as there is room.
func (t *table[K]) prune(dropped func(index int32)) {
	var resting []int32
	for i := range t.rows {
		r := &t.rows[i]
		switch {
		case !r.used || r.listed || r.count > 0 || r.refs > 0:
		case r.bands.hasExits():
			resting = append(resting, int32(i))
		default:
			t.drop(int32(i), dropped)
		}
	}
	if excess := len(resting) - restingFactor*t.maxListed; excess > 0 {
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
	at, _ := t.find(t.rows[index].key)
	t.sorted = slices.Delete(t.sorted, at, at+1)
	t.rows[index] = row[K]{}
	t.free = append(t.free, index)
}
