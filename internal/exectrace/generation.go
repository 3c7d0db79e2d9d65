package exectrace

import "slices"

// Each generation of a trace is complete: it names every goroutine and has its own tables.
// A trace of a millisecond has one generation. A longer trace, or one of a million
// goroutines, has one a second, and the last one has the final state of the goroutines.

// generations is a trace, split into batches.
type generations struct {
	// earlier are the batches of events before the last generation.
	earlier []batch
	// last are the batches of the last generation, without the ignored ones.
	last []batch
	// number is the number of the last generation.
	number uint64
	// marked is whether generations end with a mark, and ended whether the last one has.
	marked, ended bool
}

// maxBatches is the most batches that a generation may have. A thread writes one for every
// 64 KiB of events, and the runtime limits a process to 10,000 threads. The trace reader
// needs up to 1 KiB for the smallest batch.
const maxBatches = 1 << 14

// split splits a trace, whose header has been validated, into batches.
//
// A trace may have been cut between two batches. Since Go 1.26 a generation ends with a
// mark. Before, only the order tells: the runtime writes the table of strings last, after
// the stacks that refer to it. So a generation that does not end with it is truncated. If
// the table of strings itself is cut between two batches, stacks refer to missing strings,
// which the trace reader detects.
func split(data []byte, v version) (*generations, error) {
	g := &generations{marked: v >= go126}
	for at := headerLength; at < len(data); {
		b, end, err := readBatch(data, at, v)
		if err != nil {
			return nil, err
		}
		if err := g.add(b); err != nil {
			return nil, err
		}
		at = end
	}
	return g, g.check()
}

func (g *generations) add(b batch) error {
	if b.kind == batchEndOfGeneration {
		return g.end()
	}
	switch {
	case g.number == 0:
		g.number = b.generation
	case b.generation != g.number:
		if err := g.next(b.generation); err != nil {
			return err
		}
	case g.ended:
		return malformed("batch after the end of its generation")
	}
	if b.kind == batchIgnored {
		return nil
	}
	if len(g.last) == maxBatches {
		return tooLarge(maxBatches, "batches")
	}
	g.last = append(g.last, b)
	return nil
}

// end handles the mark that ends a generation.
func (g *generations) end() error {
	if g.ended || len(g.last) == 0 {
		return malformed("empty generation")
	}
	g.ended = true
	return nil
}

// next ends the last generation and starts another.
func (g *generations) next(number uint64) error {
	if err := g.check(); err != nil {
		return err
	}
	if number != g.number+1 {
		return malformed("generations out of order")
	}
	g.number, g.ended = number, false
	for _, b := range g.last {
		if b.kind == batchEvents {
			g.earlier = append(g.earlier, b)
		}
	}
	if len(g.earlier) > maxBatches {
		return tooLarge(maxBatches, "batches")
	}
	g.last = nil
	return nil
}

// check returns an error if the last generation is incomplete.
func (g *generations) check() error {
	n := len(g.last)
	switch {
	case n == 0:
		return malformed("truncated after the header")
	case g.marked && !g.ended, g.last[n-1].kind != batchStrings:
		return malformed("truncated between two batches")
	}
	for _, kind := range [...]batchKind{batchEvents, batchStacks, batchSync} {
		if !slices.ContainsFunc(g.last, func(b batch) bool { return b.kind == kind }) {
			return malformed("generation without events, stacks or clock")
		}
	}
	return nil
}
