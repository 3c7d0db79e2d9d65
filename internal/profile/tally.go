package profile

import "google.golang.org/protobuf/encoding/protowire"

// tally is the first pass over a profile: how many elements of each kind it has and where
// they are. It keeps only numbers, so its size does not depend on the input, and it can
// read a body piece by piece.
type tally struct {
	strings, functions, locations, samples int

	// The parts of the body that hold the elements. Go writes functions and locations
	// interleaved.
	stringsAt, tablesAt, samplesAt byteRange

	// highestString is the highest string index that was referred to.
	highestString uint64

	// mappings is the number of mappings, and build the string index of the build ID of
	// the first, which is the binary.
	mappings int
	build    uint64

	time int64 // when the profile was taken, in Unix nanoseconds; 0 if unknown

	kind kind

	// audit validates each element. It is nil for short bodies.
	audit *audit
}

// byteRange is the part [from, to) of the body.
type byteRange struct{ from, to int }

// include extends s to the end of p, which comes later.
func (s *byteRange) include(p byteRange) {
	if s.to == 0 {
		s.from = p.from
	}
	s.to = p.to
}

// walk reads the fields of b, which starts at offset in the body, and returns how many
// bytes they take. The rest is an incomplete or damaged field.
func (t *tally) walk(b []byte, offset int) (int, error) {
	for rest := b; len(rest) > 0; {
		tag, _, content, after := nextField(rest)
		if tag == damagedTag {
			return len(b) - len(rest), nil
		}
		end := offset + len(b) - len(after)
		if size := len(rest) - len(after); size > longBody {
			return len(b) - len(rest), malformed("a field of %d bytes", size)
		}
		if err := t.addElement(tag, content, byteRange{end - (len(rest) - len(after)), end}); err != nil {
			return len(b) - len(rest), err
		}
		rest = after
	}
	return len(b), nil
}

// addElement counts an element with content b, which lies at place in the body.
func (t *tally) addElement(tag uint64, b []byte, place byteRange) error {
	switch tag {
	case profileSampleType:
		return t.addSampleType(b)
	case profileMapping:
		return t.addMapping(b)
	case profileString:
		t.stringsAt.include(place)
		return t.addString(b)
	case profileTime:
		nanoseconds, _ := protowire.ConsumeVarint(b) // walk has read it
		t.time = int64(nanoseconds)
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
		return t.audit.addElement(tag, b)
	}
	return nil
}

func (t *tally) addSampleType(b []byte) error {
	v, err := readValueType(b)
	t.highestString = max(t.highestString, v.what, v.unit)
	t.kind.add(v)
	return err
}

func (t *tally) addMapping(b []byte) error {
	file, buildID, err := readMapping(b)
	t.highestString = max(t.highestString, file, buildID)
	if t.mappings == 0 {
		t.build = buildID
	}
	t.mappings++
	return err
}

func (t *tally) addString(b []byte) error {
	if t.strings == 0 && len(b) > 0 {
		return malformed("the first string is not empty")
	}
	t.kind.observe(uint64(t.strings), b)
	t.strings++
	return nil
}

// finish validates the complete tally.
func (t *tally) finish() error {
	switch {
	case t.kind.types == 0:
		return malformed("no sample type")
	case t.strings == 0:
		return malformed("no string table")
	case t.highestString >= uint64(t.strings):
		return errNoString(t.highestString, t.strings)
	}
	if t.kind.isNamed() {
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
