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
	// marked tells whether a mark ends a generation, and ended whether it has.
	marked, ended bool
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
	if b.kind == endOfGeneration {
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
		return malformed("a batch after the end of its generation")
	}
	if b.kind == ignored {
		return nil
	}
	if len(g.last) == maxBatches {
		return tooLarge(maxBatches, "batches")
	}
	g.last = append(g.last, b)
	return nil
}

// end takes note of the mark that ends a generation.
func (g *generations) end() error {
	if g.ended || len(g.last) == 0 {
		return malformed("an empty generation")
	}
	g.ended = true
	return nil
}

// next closes the last generation and begins another.
func (g *generations) next(number uint64) error {
	if err := g.check(); err != nil {
		return err
	}
	if number != g.number+1 {
		return malformed("generations out of order")
	}
	g.number, g.ended = number, false
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
func (g *generations) check() error {
	n := len(g.last)
	switch {
	case n == 0:
		return malformed("cut after its header")
	case g.marked && !g.ended, g.last[n-1].kind != stringTable:
		return malformed("cut between two batches")
	}
	for _, kind := range [...]batchKind{events, stackTable, synchronisation} {
		if !slices.ContainsFunc(g.last, func(b batch) bool { return b.kind == kind }) {
			return malformed("a generation lacks one of its parts")
		}
	}
	return nil
}
