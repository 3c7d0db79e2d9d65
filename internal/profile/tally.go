package profile

// tally is the first reading of a profile: how many elements of each kind it has
// and where they are. It looks into few of them and keeps numbers only, so it
// costs the same whatever it reads, and it can read a body piece by piece.
type tally struct {
	strings, functions, locations, samples int

	// The parts of the body that hold them. Functions and locations are mixed
	// in what Go writes.
	stringsAt, tablesAt, samplesAt span

	// highestString is the highest index of a string that was seen.
	highestString uint64

	// mappings is how many mappings were seen, and build the index of the string
	// with the build ID of the first, which is that of the binary.
	mappings int
	build    uint64

	kind kind

	// audit is nil, or looks into everything.
	audit *audit
}

// span is a part of the body, from its first byte to the one after the last.
type span struct{ from, to int }

// include extends s to a later part.
func (s *span) include(p span) {
	if s.to == 0 {
		s.from = p.from
	}
	s.to = p.to
}

// walk reads the fields at the start of b, which lies at offset in the body, and
// returns how many bytes they take. What is left is no field, or not the whole
// of one.
func (t *tally) walk(b []byte, offset int) (int, error) {
	for rest := b; len(rest) > 0; {
		tag, _, content, after := next(rest)
		if tag == damaged {
			return len(b) - len(rest), nil
		}
		end := offset + len(b) - len(after)
		if size := len(rest) - len(after); size > longBody {
			return len(b) - len(rest), malformed("a field of %d bytes", size)
		}
		if err := t.element(tag, content, span{end - (len(rest) - len(after)), end}); err != nil {
			return len(b) - len(rest), err
		}
		rest = after
	}
	return len(b), nil
}

// element takes in an element, which has the given place in the body.
func (t *tally) element(tag uint64, b []byte, place span) error {
	switch tag {
	case profileSampleType:
		return t.sampleType(b)
	case profileMapping:
		return t.mapping(b)
	case profileString:
		t.stringsAt.include(place)
		return t.string(b)
	case profileLocation:
		t.tablesAt.include(place)
		t.locations++
	case profileFunction:
		t.tablesAt.include(place)
		t.functions++
	case profileSample:
		t.samplesAt.include(place)
		t.samples++
	}
	if t.audit != nil {
		return t.audit.element(tag, b)
	}
	return nil
}

func (t *tally) sampleType(b []byte) error {
	v, err := readValueType(b)
	t.highestString = max(t.highestString, v.what, v.unit)
	t.kind.add(v)
	return err
}

func (t *tally) mapping(b []byte) error {
	file, buildID, err := readMapping(b)
	t.highestString = max(t.highestString, file, buildID)
	if t.mappings == 0 {
		t.build = buildID
	}
	t.mappings++
	return err
}

func (t *tally) string(b []byte) error {
	if t.strings == 0 && len(b) > 0 {
		return malformed("the first string is not empty")
	}
	t.kind.see(uint64(t.strings), b)
	t.strings++
	return nil
}

// finish checks what can be checked when all has been seen.
func (t *tally) finish() error {
	switch {
	case t.kind.types == 0:
		return malformed("no sample type")
	case t.strings == 0:
		return malformed("no string table")
	case t.highestString >= uint64(t.strings):
		return errNoString(t.highestString, t.strings)
	}
	if t.kind.named() {
		if err := t.kind.check(); err != nil {
			return err
		}
	}
	if t.audit != nil {
		return t.audit.finish(t)
	}
	return nil
}

func errNoString(i uint64, count int) error {
	return malformed("refers to string %d of %d", i, count)
}
