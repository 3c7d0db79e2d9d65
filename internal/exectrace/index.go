package exectrace

import (
	"cmp"
	"slices"
)

// index maps the IDs of stacks and strings of one generation to numbers in symbols. Entries
// are numbered when they are first looked up.
type index struct {
	batches []batch
	symbols *symbols
	stacks  []indexed // by ID
	strings []indexed // by ID
	// frames is the buffer of addStack.
	frames []int32
}

// indexed is the location of a table entry.
type indexed struct {
	id uint64
	// batch is an index into batches, and at the offset of the entry in it, after its ID.
	batch, at uint16
	// number is the number in symbols, or unnumbered.
	number int32
}

const unnumbered = -2

// newIndex validates and indexes the tables of a generation.
func newIndex(batches []batch, s *symbols) (*index, error) {
	if err := checkTables(batches); err != nil {
		return nil, err
	}
	x := &index{batches: batches, symbols: s}
	for i, b := range batches {
		switch b.kind {
		case batchStacks:
			r := reader{data: b.data, at: 1}
			for r.nextEntry(evStack) {
				x.stacks = append(x.stacks, indexed{id: r.varint(), batch: uint16(i), at: uint16(r.at), number: unnumbered})
				for skip := 4 * r.varint(); skip > 0; skip-- {
					r.varint()
				}
			}
		case batchStrings:
			r := reader{data: b.data, at: 1}
			for r.nextEntry(evString) {
				x.strings = append(x.strings, indexed{id: r.varint(), batch: uint16(i), at: uint16(r.at), number: unnumbered})
				r.bytes(r.varint())
			}
		}
	}
	sortByID(x.stacks)
	sortByID(x.strings)
	return x, nil
}

func sortByID(all []indexed) {
	byID := func(a, b indexed) int { return cmp.Compare(a.id, b.id) }
	if !slices.IsSortedFunc(all, byID) {
		slices.SortFunc(all, byID)
	}
}

// find returns the entry with an ID, or nil. The runtime assigns consecutive IDs, so the ID
// usually gives the index.
func find(all []indexed, id uint64) *indexed {
	if len(all) == 0 || id < all[0].id {
		return nil
	}
	if at := id - all[0].id; at < uint64(len(all)) && all[at].id == id {
		return &all[at]
	}
	at, found := slices.BinarySearchFunc(all, id, func(e indexed, id uint64) int { return cmp.Compare(e.id, id) })
	if !found {
		return nil
	}
	return &all[at]
}

// stack returns the number of the stack with an ID, or noStack.
func (x *index) stack(id uint64) int32 {
	if id == 0 {
		return noStack
	}
	e := find(x.stacks, id)
	if e == nil {
		return noStack
	}
	if e.number == unnumbered {
		e.number = x.addStack(e)
	}
	return e.number
}

// addStack adds a stack to symbols and returns its number.
func (x *index) addStack(e *indexed) int32 {
	r := reader{data: x.batches[e.batch].data, at: int(e.at)}
	x.frames = x.frames[:0]
	for depth := r.varint(); depth > 0 && !r.failed; depth-- {
		r.varint() // address
		f := symbol{function: x.name(r.varint()), file: x.name(r.varint()), line: int32(lineNumber(r.varint()))}
		x.frames = append(x.frames, x.symbols.frame(f))
	}
	return x.symbols.stack(x.frames)
}

// name returns the number of the string with an ID. A missing string is empty.
func (x *index) name(id uint64) int32 {
	e := find(x.strings, id)
	if e == nil {
		return x.symbols.name(nil)
	}
	if e.number == unnumbered {
		r := reader{data: x.batches[e.batch].data, at: int(e.at)}
		e.number = x.symbols.name(r.bytes(r.varint()))
	}
	return e.number
}
