package exectrace

import (
	"bufio"
	"errors"
	"io"
	"math"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// maxLives is the most goroutines that may be alive at a time. No trace for the sake of
// origins is taken of a process with so many; each costs 100 bytes.
const maxLives = 1 << 17

// What a generation may have beside its bytes. An event of a true trace takes some 50 ns, and
// to put it in order 65 ns where so many threads take turns at each. A true generation of
// maxBeside bytes has three quarters of the events.
const (
	maxFollowed        = 1 << 21 // events
	maxFollowedThreads = 1 << 12
)

// A Follower follows the goroutines through a trace of any length, from where they are
// started to where they end. It reads a generation at a time, a second of the process,
// and keeps of it what is known of those that are alive, and counts of the others. User
// logs, tasks and regions are passed over unread.
//
// What it is asked for are groups, by their signatures. Wake-ups are counted of those
// that wait where such a group does.
type Follower struct {
	r      *bufio.Reader
	v      version
	groups []stack.Signature
	read   int // how many generations were read
	// next is the first batch of the generation after it; begun tells whether there is one.
	next  batch
	begun bool

	symbols  *symbols
	grouping *grouping
	lives    lives
	starts   *starts
	wakes    wakeUps
	// askedBy is the index in groups of each signature.
	askedBy map[stack.ID]int32
	// points is for each stack the group that waits there.
	points []int32
	// threads is which goroutine each thread had at the end of the last generation.
	threads map[uint64]uint64

	highest uint64
	procs   int
	// unit is how many nanoseconds the clock's unit has; from and to is what was read.
	unit     float64
	from, to uint64

	// Of the generation that is being read.
	index *index
	merge *merge
	// header is the memory in which the header of a batch is read.
	header [maxBatchHeader + 1]byte
}

// Follow begins to follow the goroutines in a trace. Its errors are those of Decode, or
// of r.
func Follow(r io.Reader, groups []stack.Signature) (*Follower, error) {
	f := &Follower{
		r:       bufio.NewReaderSize(r, maxBatchSize),
		groups:  groups,
		symbols: newSymbols(),
		starts:  newStarts(),
		wakes:   wakeUps{byKey: make(map[wakeKey]int32)},
		lives:   lives{index: make(map[uint64]int32)},
		askedBy: make(map[stack.ID]int32, len(groups)),
		threads: make(map[uint64]uint64),
	}
	for i, g := range groups {
		f.askedBy[g.ID] = int32(i)
	}
	start, err := peek(f.r, sniffed)
	if err != nil {
		return nil, err
	}
	if f.v, err = readHeader(start); err != nil {
		return nil, err
	}
	if _, err := f.r.Discard(headerLength); err != nil {
		return nil, err
	}
	f.grouping = newGrouping(f.symbols.framesOf, f.v)
	return f, nil
}

// Next reads the next generation. It returns io.EOF if there is none. After an error what
// was read before still holds: a trace that was cut is one of a shorter time.
func (f *Follower) Next() error {
	g, err := f.collect()
	if err != nil {
		return err
	}
	if f.index, err = newIndex(g.last, f.symbols); err != nil {
		return err
	}
	if f.merge, err = newMerge(g.last); err != nil {
		return err
	}
	if err := f.setClock(g.last); err != nil {
		return err
	}
	err = f.follow()
	f.index, f.merge = nil, nil
	f.read++
	return err
}

// collect reads the batches of a generation.
func (f *Follower) collect() (*generations, error) {
	g := &generations{marked: f.v >= go126}
	size := 0
	if f.begun {
		f.begun = false
		g.number, size = f.next.generation, len(f.next.data)
		g.last = append(g.last, f.next)
	}
	for !g.ended {
		b, err := f.readBatch()
		if errors.Is(err, io.EOF) && len(g.last) == 0 && f.read > 0 {
			return nil, io.EOF
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if !g.marked && g.number != 0 && b.kind != endOfGeneration && b.generation != g.number {
			if b.generation != g.number+1 {
				return nil, malformed("generations out of order")
			}
			f.next, f.begun = b, true
			break
		}
		if err := g.add(b); err != nil {
			return nil, err
		}
		if size += len(b.data); size > maxBeside {
			return nil, tooLarge(maxBeside, "bytes in a second")
		}
	}
	return g, g.check()
}

// setClock reads the frequency of the clock.
func (f *Follower) setClock(batches []batch) error {
	for _, b := range batches {
		if b.kind != synchronisation {
			continue
		}
		r := reader{data: b.data}
		if b.data[0] == evSync {
			r.at++
		}
		if !r.begins(evFrequency) {
			return malformed("no frequency")
		}
		frequency := r.varint()
		if r.failed || frequency == 0 {
			return malformed("no frequency")
		}
		f.unit = float64(time.Second) / float64(frequency)
	}
	return nil
}

// follow takes in all events of a generation.
func (f *Follower) follow() error {
	f.resume()
	events := 0
	err := f.merge.each(func(t *threadEvents) error {
		if events++; events > maxFollowed {
			return tooLarge(maxFollowed, "events")
		}
		if f.from == 0 {
			f.from = t.time
		}
		f.to = max(f.to, t.time)
		if err := f.see(t); err != nil {
			return err
		}
		if f.symbols.tooLarge {
			return tooLarge(maxKeptFrames, "frames, or names of too many bytes")
		}
		return nil
	})
	f.suspend()
	return err
}

// resume gives each thread the goroutine that it had at the end of the last generation.
func (f *Follower) resume() {
	for thread, id := range f.threads {
		i, alive := f.lives.index[id]
		if t := f.merge.byID[thread]; t != nil && alive {
			t.current = i
		}
	}
}

// suspend remembers which goroutine each thread has. Those that end are forgotten.
func (f *Follower) suspend() {
	for thread, t := range f.merge.byID {
		delete(f.threads, thread)
		if t.current == none {
			continue
		}
		id := f.lives.at(t.current).id
		if i, alive := f.lives.index[id]; alive && i == t.current {
			f.threads[thread] = id
		}
	}
}

// since returns the time between two readings of the clock.
func (f *Follower) since(from, to uint64) time.Duration {
	if to < from {
		return 0
	}
	return time.Duration(min(float64(to-from)*f.unit, math.MaxInt64/2))
}

// asked returns which of the groups that were asked for a goroutine is in; none if in
// none.
func (f *Follower) asked(g goroutine) int32 {
	group := f.grouping.of(g)
	if group < 0 {
		return none
	}
	if i, asked := f.askedBy[f.grouping.groups[group].ID]; asked {
		return i
	}
	return none
}

// Snapshot returns how all goroutines stood at the end of what was read, as Decode does.
func (f *Follower) Snapshot() (*stack.Snapshot, error) {
	s := &stack.Snapshot{
		Source:     stack.SourceTrace,
		Goroutines: make([]stack.Goroutine, 0, len(f.lives.index)),
		HighestID:  f.highest,
		Procs:      f.procs,
	}
	for id, i := range f.lives.index {
		if group := f.grouping.of(f.lives.at(i).goroutine); group != leftOut {
			s.Goroutines = append(s.Goroutines, stack.Goroutine{ID: id, Group: group})
		}
	}
	numbers := make([]int32, len(f.grouping.groups)) // those of the groups in the snapshot, plus 1
	for i, g := range s.Goroutines {
		if g.Group == stack.NoGroup {
			continue
		}
		if numbers[g.Group] == 0 {
			s.Groups = append(s.Groups, stack.Group{Signature: f.grouping.groups[g.Group].Signature})
			numbers[g.Group] = int32(len(s.Groups))
		}
		s.Goroutines[i].Group = numbers[g.Group] - 1
	}
	if err := arrange(s); err != nil {
		return nil, err
	}
	return s, nil
}
