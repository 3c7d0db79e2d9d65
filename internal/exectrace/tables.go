package exectrace

// tables counts the entries of a generation's tables.
type tables struct {
	frames, strings int
}

// checkTables returns an error if the tables are truncated, damaged or too large.
func checkTables(batches []batch) error {
	var t tables
	for _, b := range batches {
		if !t.add(b) {
			return malformed("truncated or damaged table")
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
	case batchStacks:
		return t.addStacks(b.data)
	case batchStrings:
		return t.addStrings(b.data)
	}
	return true
}

// addStacks counts frames. An entry of the table is its type, its ID, the number of frames,
// and four varints for each frame.
func (t *tables) addStacks(data []byte) bool {
	r := reader{data: data, at: 1}
	for r.nextEntry(evStack) {
		r.varint()
		depth := r.varint()
		for i := uint64(0); i < 4*depth && !r.failed; i++ {
			r.varint()
		}
		t.frames += int(min(depth, maxFrames)) + 1 // an empty stack costs something too
	}
	return !r.failed
}

// addStrings counts strings. An entry of the table is its type, its ID, its length and its
// bytes.
func (t *tables) addStrings(data []byte) bool {
	r := reader{data: data, at: 1}
	for r.nextEntry(evString) {
		r.varint()
		r.bytes(r.varint())
		t.strings++
	}
	return !r.failed
}
