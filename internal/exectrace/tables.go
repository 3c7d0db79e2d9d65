package exectrace

// tables counts the entries of a generation's tables.
type tables struct {
	frames, strings int
}

// checkTables tells whether the tables are whole and not too large.
func checkTables(batches []batch) error {
	var t tables
	for _, b := range batches {
		if !t.add(b) {
			return malformed("a table that is cut or damaged")
		}
		switch {
		case t.frames > maxFrames:
			return tooLarge(maxFrames, "frames")
		case t.strings > maxStrings:
			return tooLarge(maxStrings, "strings")
		}
	}
	return nil
}

func (t *tables) add(b batch) bool {
	switch b.kind {
	case stackTable:
		return t.addStacks(b.data)
	case stringTable:
		return t.addStrings(b.data)
	}
	return true
}

// addStacks counts frames. Each entry of the table is its type, its ID, how many
// frames it has, and four varints for each.
func (t *tables) addStacks(data []byte) bool {
	r := reader{data: data, at: 1}
	for r.begins(evStack) {
		r.varint()
		depth := r.varint()
		for i := uint64(0); i < 4*depth && !r.failed; i++ {
			r.varint()
		}
		t.frames += int(min(depth, maxFrames)) + 1 // an empty stack costs something too
	}
	return !r.failed
}

// addStrings counts strings. Each entry of the table is its type, its ID, its
// length and its bytes.
func (t *tables) addStrings(data []byte) bool {
	r := reader{data: data, at: 1}
	for r.begins(evString) {
		r.varint()
		r.bytes(r.varint())
		t.strings++
	}
	return !r.failed
}
