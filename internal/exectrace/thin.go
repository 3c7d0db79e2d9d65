package exectrace

import (
	"encoding/binary"
	"math"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Nearly all goroutines of a service wait all through a trace. Each has one event, its status,
// which names its stack; the trace reader would keep a record of each for events that never
// come. So it reads one goroutine of each stack, and the result holds for all of them.

// thinned is a trace reduced to what the trace reader must read.
type thinned struct {
	// trace is the reduced trace.
	trace []byte
	// idle are the goroutines that waited all through the last generation. Their groups
	// are indexes into samples until snapshot replaces them.
	idle []stack.Goroutine
	// highest is the highest goroutine ID of the whole trace.
	highest uint64
	// samples has for each stack of idle goroutines the ID of the one in the reduced trace.
	samples []uint64
}

type thinner struct {
	thinned
	survey *survey
	// sampleOf maps the ID of a stack to the index of its sample. For low IDs, as the
	// runtime assigns them, sampleOfLow has the index plus 1.
	sampleOf    map[uint64]int32
	sampleOfLow [lowStacks]int32
	// batch is the batch being written.
	batch []byte
}

// thin removes the idle goroutines and the events that do not concern goroutines. The times
// of the other events do not change.
func (g *generations) thin(header []byte, v version, s *survey) (*thinned, error) {
	t := thinner{survey: s, sampleOf: make(map[uint64]int32)}
	t.highest = s.highest
	t.idle = make([]stack.Goroutine, 0, s.waiting)
	t.trace = append(make([]byte, 0, g.thinSize(s)), header...)
	for _, b := range g.last {
		if b.kind != batchEvents {
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

// thinSize returns an estimate of the size of the thinned trace, in bytes.
func (g *generations) thinSize(s *survey) int {
	size := headerLength + s.informativeSize
	for _, b := range g.last {
		size += maxBatchHeader
		if b.kind != batchEvents {
			size += len(b.data)
		}
	}
	return size
}

// maxBatchHeader is the longest header of a batch: a byte, three varints of any size, and the
// size of the batch.
const maxBatchHeader = 1 + 3*binary.MaxVarintLen64 + 3

// append writes a batch with the header of b and other data.
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
			return malformed("truncated or unknown event")
		}
		if isImpossible(&e) {
			return malformed("impossible goroutine ID")
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

// isImpossible reports whether an event has an invalid goroutine ID. IDs of the trace reader
// are signed.
func isImpossible(e *event) bool {
	id := e.arguments[0]
	return (e.use == useGoroutine || e.use == useStatus) && (id == 0 || id > math.MaxInt64)
}

// needs reports whether the trace reader must read an event. An idle goroutine is listed.
func (t *thinner) needs(e *event) bool {
	switch {
	case e.use == useDropped:
		return false
	case e.use != useStatus, e.arguments[2] != goWaiting:
		return true
	}
	if _, active := t.survey.active[e.arguments[0]]; active {
		return true
	}
	return t.addIdle(e)
}

// addIdle lists a goroutine that waits all through the generation, and reports whether it is
// the first with its stack.
func (t *thinner) addIdle(e *event) (first bool) {
	id := e.arguments[0]
	sample, known := t.sample(e)
	if !known {
		t.samples = append(t.samples, id)
	}
	t.idle = append(t.idle, stack.Goroutine{ID: id, Group: sample})
	return !known
}

// sample returns the index of the sample for the stack of a status. If there is none yet,
// this goroutine becomes the next sample.
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

// lowStacks is the number of stack IDs that are looked up in an array instead of a map. Most
// services have some hundreds of stacks.
const lowStacks = 1 << 10
