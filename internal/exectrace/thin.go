package exectrace

import (
	"encoding/binary"
	"math"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Nearly all goroutines of a service wait all through a trace. Each of them has
// one event, its status, which names its stack; the trace reader would keep a
// record of each for events that never come. So it gets to see one goroutine of
// each stack, and what it learns of that one is true of all.

// thinned is a trace of which the trace reader need only see a part.
type thinned struct {
	// trace is that part.
	trace []byte
	// idle are the goroutines that waited all through the last generation.
	// Their groups are indices into samples, until snapshot knows better.
	idle []stack.Goroutine
	// highest is the highest goroutine ID of the whole trace.
	highest uint64
	// samples has for each stack of an idle goroutine the ID of one that the
	// trace reader sees.
	samples []uint64
}

type thinner struct {
	thinned
	survey *survey
	// sampleOf maps the ID of a stack to the index of its sample. Those of low
	// IDs, as the runtime gives them out, are in sampleOfLow, plus 1.
	sampleOf    map[uint64]int32
	sampleOfLow [lowStacks]int32
	// batch is the batch in the making.
	batch []byte
}

// thin leaves out the idle goroutines, and the events that say nothing of
// goroutines. The time of what is left stays what it was.
func (g *generations) thin(header []byte, v version, s *survey) (*thinned, error) {
	t := thinner{survey: s, sampleOf: make(map[uint64]int32)}
	t.highest = s.highest
	t.idle = make([]stack.Goroutine, 0, s.waiting)
	t.trace = append(make([]byte, 0, g.thinSize(s)), header...)
	for _, b := range g.last {
		if b.kind != events {
			t.append(b, b.data)
			continue
		}
		if err := t.filter(b.data); err != nil {
			return nil, err
		}
		if len(t.batch) > 0 {
			t.append(b, t.batch)
		}
	}
	if v >= go126 {
		t.trace = append(t.trace, evEndOfGeneration)
	}
	return &t.thinned, nil
}

// thinSize is about how large the thinned trace becomes.
func (g *generations) thinSize(s *survey) int {
	size := headerLength + s.size
	for _, b := range g.last {
		size += maxBatchHeader
		if b.kind != events {
			size += len(b.data)
		}
	}
	return size
}

// maxBatchHeader is a byte, three varints of any size, and the size of the batch.
const maxBatchHeader = 1 + 3*binary.MaxVarintLen64 + 3

// append writes a batch like b that holds data.
func (t *thinner) append(b batch, data []byte) {
	t.trace = append(t.trace, evEventBatch)
	for _, field := range [...]uint64{b.generation, b.thread, b.time, uint64(len(data))} {
		t.trace = binary.AppendUvarint(t.trace, field)
	}
	t.trace = append(t.trace, data...)
}

// filter fills t.batch with those events of a batch that the trace reader needs.
func (t *thinner) filter(data []byte) error {
	t.batch = t.batch[:0]
	var e event
	var elapsed uint64 // since the last event that was kept
	for at := 0; at < len(data); at = e.end {
		if !readEvent(data, at, &e) {
			return malformed("an event that is cut or unknown")
		}
		if isImpossible(&e) {
			return malformed("an impossible goroutine ID")
		}
		elapsed += e.elapsed
		if !t.needs(&e) {
			continue
		}
		t.batch = append(t.batch, e.typ)
		t.batch = binary.AppendUvarint(t.batch, elapsed)
		t.batch = append(t.batch, data[e.tail:e.end]...)
		elapsed = 0
	}
	return nil
}

// isImpossible tells whether an event names a goroutine that cannot be. The trace
// reader's IDs are signed, and -1 is none.
func isImpossible(e *event) bool {
	id := e.arguments[0]
	return (e.use == naming || e.use == status) && (id == 0 || id > math.MaxInt64)
}

// needs tells whether the trace reader must see an event.
func (t *thinner) needs(e *event) bool {
	switch {
	case e.use == dropped:
		return false
	case e.use != status, e.arguments[2] != goWaiting:
		return true
	}
	if _, active := t.survey.active[e.arguments[0]]; active {
		return true
	}
	return t.addIdle(e)
}

// addIdle lists a goroutine that waits all through the generation, and tells
// whether it is the first of its stack.
func (t *thinner) addIdle(e *event) (first bool) {
	id := e.arguments[0]
	sample, known := t.sample(e)
	if !known {
		t.samples = append(t.samples, id)
	}
	t.idle = append(t.idle, stack.Goroutine{ID: id, Group: sample})
	return !known
}

// sample returns the index of the sample for the stack in a status. If there is
// none yet, it is the next.
func (t *thinner) sample(e *event) (index int32, known bool) {
	var stackID uint64
	if e.typ == evGoStatusStack {
		stackID = e.arguments[3]
	}
	next := int32(len(t.samples)) // at most maxEvents
	if stackID < lowStacks {
		if index = t.sampleOfLow[stackID] - 1; index >= 0 {
			return index, true
		}
		t.sampleOfLow[stackID] = next + 1
		return next, false
	}
	if index, known = t.sampleOf[stackID]; !known {
		index = next
		t.sampleOf[stackID] = next
	}
	return index, known
}

// lowStacks is how many stacks there may be to be looked up by their number alone.
// Most services have some hundreds.
const lowStacks = 1 << 10
