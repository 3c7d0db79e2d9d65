package exectrace

// batch is a batch of a trace.
type batch struct {
	// data is what it holds, a part of the trace's bytes.
	data       []byte
	generation uint64
	// thread is the ID of the thread that wrote it; ^0 is none.
	thread uint64
	// time is what the first event's time is counted from.
	time uint64
	kind batchKind
}

// batchKind is what a batch holds.
type batchKind uint8

const (
	// ignored batches hold CPU samples or experiments.
	ignored batchKind = iota
	events
	stackTable
	stringTable
	synchronisation
	// endOfGeneration is no batch but the mark between those of two
	// generations.
	endOfGeneration
)

// maxBatchSize is the size of the buffers in which the runtime collects events.
const maxBatchSize = 64 << 10

// readBatch reads the batch at data[at:] and returns where it ends.
func readBatch(data []byte, at int, v version) (batch, int, error) {
	r := reader{data: data, at: at + 1}
	typ := data[at]
	switch {
	case typ == evEndOfGeneration && v >= go126:
		return batch{kind: endOfGeneration}, r.at, nil
	case typ == evExperimentalBatch:
		r.at++ // the experiment
	case typ != evEventBatch:
		return batch{}, 0, malformed("no batch where one should begin")
	}
	b := batch{generation: r.varint(), thread: r.varint(), time: r.varint()}
	size := r.varint()
	switch {
	case r.failed:
		return batch{}, 0, malformed("the header of a batch is cut")
	case size > maxBatchSize:
		return batch{}, 0, malformed("a batch is larger than the runtime's buffers")
	case b.generation == 0:
		return batch{}, 0, malformed("a batch of no generation")
	}
	if b.data = r.bytes(size); r.failed {
		return batch{}, 0, malformed("a batch is cut")
	}
	b.kind = kindOf(typ, b.data, v)
	return b, r.at, nil
}

func kindOf(typ byte, data []byte, v version) batchKind {
	if typ == evExperimentalBatch || len(data) == 0 {
		return ignored
	}
	switch first := data[0]; {
	case first == evStacks:
		return stackTable
	case first == evStrings:
		return stringTable
	case first == evCPUSamples:
		return ignored
	case first == evFrequency && v < go125, first == evSync && v >= go125:
		return synchronisation
	}
	return events
}
