package exectrace

import "slices"

// Every generation of a trace stands for itself: it names each goroutine that
// there is, and has its own tables. A trace of a millisecond has one. A longer
// one, of which the process of a million goroutines makes one too, has one a
// second, and the last of them tells how the goroutines stood in the end.

// generations is what a trace consists of.
type generations struct {
	// earlier are the batches of events before the last generation.
	earlier []batch
	// last are the batches of the last generation but for those ignored.
	last []batch
	// number is that of the last generation.
	number uint64
}

// maxBatches is the most batches that a generation may have. A thread writes one
// for every 64 KiB of events, and the runtime ends a process at 10,000 threads.
// The trace reader needs up to 1 KiB for the smallest of them.
const maxBatches = 1 << 14

// split finds the batches of a trace, whose header has been read.
//
// A trace may have been cut between two batches. From Go 1.26 on a generation
// ends with a mark. Before that, nothing but the order tells: the runtime writes
// the table of strings last, after that of the stacks, as it names what all
// others refer to. So a generation that ends otherwise is not whole. One whose
// table of strings is itself cut between two batches lacks strings that its
// stacks refer to, and the trace reader finds that.
func split(data []byte, v version) (*generations, error) {
	g := &generations{}
	ended := false
	for at := headerLength; at < len(data); {
		b, end, err := readBatch(data, at, v)
		if err != nil {
			return nil, err
		}
		at = end
		switch {
		case b.kind == endOfGeneration:
			if ended || len(g.last) == 0 {
				return nil, malformed("an empty generation")
			}
			ended = true
			continue
		case g.number == 0:
			g.number = b.generation
		case b.generation != g.number:
			if err := g.next(b.generation, v < go126 || ended); err != nil {
				return nil, err
			}
			ended = false
		case ended:
			return nil, malformed("a batch after the end of its generation")
		}
		if b.kind == ignored {
			continue
		}
		if len(g.last) == maxBatches {
			return nil, tooLarge(maxBatches, "batches")
		}
		g.last = append(g.last, b)
	}
	return g, g.check(v < go126 || ended)
}

// next closes the last generation and begins another.
func (g *generations) next(number uint64, ended bool) error {
	if err := g.check(ended); err != nil {
		return err
	}
	if number != g.number+1 {
		return malformed("generations out of order")
	}
	g.number = number
	for _, b := range g.last {
		if b.kind == events {
			g.earlier = append(g.earlier, b)
		}
	}
	if len(g.earlier) > maxBatches {
		return tooLarge(maxBatches, "batches")
	}
	g.last = nil
	return nil
}

// check tells whether the last generation is whole.
func (g *generations) check(ended bool) error {
	n := len(g.last)
	switch {
	case n == 0:
		return malformed("cut after its header")
	case !ended, g.last[n-1].kind != stringTable:
		return malformed("cut between two batches")
	}
	for _, kind := range [...]batchKind{events, stackTable, synchronisation} {
		if !slices.ContainsFunc(g.last, func(b batch) bool { return b.kind == kind }) {
			return malformed("a generation lacks one of its parts")
		}
	}
	return nil
}
