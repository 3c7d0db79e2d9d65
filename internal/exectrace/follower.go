package exectrace

import (
	"bufio"
	"errors"
	"io"
	"math"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// maxLives is the most goroutines that may be alive at a time. Origins are not traced in
// processes with so many; each takes 100 bytes.
const maxLives = 1 << 17

// Limits of a generation. Reading an event of a real trace takes some 50 ns, and ordering it
// 65 ns if all these threads take turns. A real generation of maxActiveBytes has three
// quarters of the events.
const (
	maxFollowedEvents  = 1 << 21 // events
	maxFollowedThreads = 1 << 12
)

// A Follower follows goroutines from start to end through a trace of any length. It reads one
// generation, a second of the process, at a time, and retains the state of the goroutines
// that are alive and counts of the others. It skips user logs, tasks and regions.
//
// It counts the wake-ups of goroutines that wait where the requested groups do.
//
// A Follower is not safe for concurrent use.
type Follower struct {
	r               *bufio.Reader
	version         version
	groups          []stack.Signature
	generationsRead int
	// next is the first batch of the next generation, if hasNext.
	next    batch
	hasNext bool

	symbols  *symbols
	grouping *grouping
	live     liveSet
	starts   *starts
	wakes    wakeUps
	// indexByID is the index in groups of each signature.
	indexByID map[stack.ID]int32
	// points caches pointOf by stack.
	points []int32
	// threads is the goroutine of each thread at the end of the last generation.
	threads map[uint64]uint64

	highest uint64
	procs   int
	// unit is the clock's unit in nanoseconds; from and to are the first and the last event.
	unit     float64
	from, to uint64

	// State of the generation being read.
	index *index
	merge *merge
	// header is the buffer for the header of a batch.
	header [maxBatchHeader + 1]byte
}

// Follow returns a Follower for the trace that r reads. groups are the requested groups. Its
// errors are those of Decode, or of r.
func Follow(r io.Reader, groups []stack.Signature) (*Follower, error) {
	f := &Follower{
		r:         bufio.NewReaderSize(r, maxBatchSize),
		groups:    groups,
		symbols:   newSymbols(),
		starts:    newStarts(),
		wakes:     wakeUps{byKey: make(map[wakeKey]int32)},
		live:      liveSet{index: make(map[uint64]int32)},
		indexByID: make(map[stack.ID]int32, len(groups)),
		threads:   make(map[uint64]uint64),
	}
	for i, g := range groups {
		f.indexByID[g.ID] = int32(i)
	}
	start, err := peek(f.r, sniffLength)
	if err != nil {
		return nil, err
	}
	if f.version, err = readHeader(start); err != nil {
		return nil, err
	}
	if _, err := f.r.Discard(headerLength); err != nil {
		return nil, err
	}
	f.grouping = newGrouping(f.symbols.framesOf, f.version)
	return f, nil
}

// Next reads the next generation, or returns io.EOF if there is none. After an error,
// Snapshot and Origins describe the generations before: a truncated trace is one of less time.
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
	f.generationsRead++
	return err
}

// collect reads the batches of a generation.
func (f *Follower) collect() (*generations, error) {
	g := &generations{marked: f.version >= go126}
	size := 0
	if f.hasNext {
		f.hasNext = false
		g.number, size = f.next.generation, len(f.next.data)
		g.last = append(g.last, f.next)
	}
	for !g.ended {
		b, err := f.readBatch()
		if errors.Is(err, io.EOF) && len(g.last) == 0 && f.generationsRead > 0 {
			return nil, io.EOF
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if !g.marked && g.number != 0 && b.kind != batchEndOfGeneration && b.generation != g.number {
			if b.generation != g.number+1 {
				return nil, malformed("generations out of order")
			}
			f.next, f.hasNext = b, true
			break
		}
		if err := g.add(b); err != nil {
			return nil, err
		}
		if size += len(b.data); size > maxActiveBytes {
			return nil, tooLarge(maxActiveBytes, "bytes in a generation")
		}
	}
	return g, g.check()
}

// setClock reads the frequency of the clock.
func (f *Follower) setClock(batches []batch) error {
	for _, b := range batches {
		if b.kind != batchSync {
			continue
		}
		r := reader{data: b.data}
		if b.data[0] == evSync {
			r.at++
		}
		if !r.nextEntry(evFrequency) {
			return malformed("no clock frequency")
		}
		frequency := r.varint()
		if r.failed || frequency == 0 {
			return malformed("no clock frequency")
		}
		f.unit = float64(time.Second) / float64(frequency)
	}
	return nil
}

// follow processes all events of a generation.
func (f *Follower) follow() error {
	f.resume()
	events := 0
	err := f.merge.forEach(func(t *threadEvents) error {
		if events++; events > maxFollowedEvents {
			return tooLarge(maxFollowedEvents, "events")
		}
		if f.from == 0 {
			f.from = t.time
		}
		f.to = max(f.to, t.time)
		if err := f.handle(t); err != nil {
			return err
		}
		if f.symbols.tooLarge {
			return tooLarge(maxKeptFrames, "frames or bytes of names")
		}
		return nil
	})
	f.suspend()
	return err
}

// resume restores the goroutine of each thread from the last generation.
func (f *Follower) resume() {
	for thread, id := range f.threads {
		i, alive := f.live.index[id]
		if t := f.merge.byID[thread]; t != nil && alive {
			t.current = i
		}
	}
}

// suspend saves the goroutine of each thread for the next generation.
func (f *Follower) suspend() {
	for thread, t := range f.merge.byID {
		delete(f.threads, thread)
		if t.current == noIndex {
			continue
		}
		id := f.live.at(t.current).id
		if i, alive := f.live.index[id]; alive && i == t.current {
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

// requestedGroup returns the index of the requested group that a goroutine is in, or noIndex.
func (f *Follower) requestedGroup(g goroutine) int32 {
	group := f.grouping.groupOf(g)
	if group < 0 {
		return noIndex
	}
	if i, asked := f.indexByID[f.grouping.groups[group].ID]; asked {
		return i
	}
	return noIndex
}

// Snapshot returns a snapshot, as Decode does, at the end of the generations read so far.
func (f *Follower) Snapshot() (*stack.Snapshot, error) {
	s := &stack.Snapshot{
		Source:     stack.SourceTrace,
		Goroutines: make([]stack.Goroutine, 0, len(f.live.index)),
		HighestID:  f.highest,
		Procs:      f.procs,
	}
	for id, i := range f.live.index {
		if group := f.grouping.groupOf(f.live.at(i).goroutine); group != leftOut {
			s.Goroutines = append(s.Goroutines, stack.Goroutine{ID: id, Group: group})
		}
	}
	numbers := make([]int32, len(f.grouping.groups)) // index in s.Groups, plus 1
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
	if err := sortAndCount(s); err != nil {
		return nil, err
	}
	return s, nil
}
