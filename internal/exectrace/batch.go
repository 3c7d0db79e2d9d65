package exectrace

// batch is a batch of a trace.
type batch struct {
	// data is the content, a slice of the trace.
	data       []byte
	generation uint64
	// thread is the ID of the thread that wrote the batch; ^0 if none did.
	thread uint64
	// time is the base of the first event's time.
	time uint64
	kind batchKind
}

// batchKind is the content type of a batch.
type batchKind uint8

const (
	// batchIgnored has CPU samples or experiments.
	batchIgnored batchKind = iota
	batchEvents
	batchStacks
	batchStrings
	batchSync
	// batchEndOfGeneration is the mark after the last batch of a generation.
	batchEndOfGeneration
)

// maxBatchSize is the size of the runtime's trace buffers, in bytes.
const maxBatchSize = 64 << 10

// readBatch reads the batch at data[at:] and returns where it ends.
func readBatch(data []byte, at int, v version) (batch, int, error) {
	r := reader{data: data, at: at + 1}
	typ := data[at]
	switch {
	case typ == evEndOfGeneration && v >= go126:
		return batch{kind: batchEndOfGeneration}, r.at, nil
	case typ == evExperimentalBatch:
		r.at++ // experiment
	case typ != evEventBatch:
		return batch{}, 0, malformed("expected a batch")
	}
	b := batch{generation: r.varint(), thread: r.varint(), time: r.varint()}
	size := r.varint()
	switch {
	case r.failed:
		return batch{}, 0, malformed("truncated batch header")
	case size > maxBatchSize:
		return batch{}, 0, malformed("batch larger than the runtime's buffers")
	case b.generation == 0:
		return batch{}, 0, malformed("batch without a generation")
	}
	if b.data = r.bytes(size); r.failed {
		return batch{}, 0, malformed("truncated batch")
	}
	b.kind = kindOf(typ, b.data, v)
	return b, r.at, nil
}

func kindOf(typ byte, data []byte, v version) batchKind {
	if typ == evExperimentalBatch || len(data) == 0 {
		return batchIgnored
	}
	switch first := data[0]; {
	case first == evStacks:
		return batchStacks
	case first == evStrings:
		return batchStrings
	case first == evCPUSamples:
		return batchIgnored
	case first == evFrequency && v < go125, first == evSync && v >= go125:
		return batchSync
	}
	return batchEvents
}
