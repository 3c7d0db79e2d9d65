package profile

import "math"

// The functions of this file read one element of a profile each, and validate it as far as
// that is possible without the others.

// Tags of the fields that are read, from profile.proto of github.com/google/pprof.
const (
	profileSampleType = 1<<3 | bytesForm
	profileSample     = 2<<3 | bytesForm
	profileMapping    = 3<<3 | bytesForm
	profileLocation   = 4<<3 | bytesForm
	profileFunction   = 5<<3 | bytesForm
	profileString     = 6<<3 | bytesForm
	profileTime       = 9<<3 | varintForm

	sampleLocation  = 1<<3 | varintForm
	sampleLocations = 1<<3 | bytesForm
	sampleCount     = 2<<3 | varintForm
	sampleCounts    = 2<<3 | bytesForm

	locationID   = 1<<3 | varintForm
	locationLine = 4<<3 | bytesForm
)

// Field numbers of the messages that consist of numbers.
const (
	valueTypeType = 1
	valueTypeUnit = 2

	mappingFile    = 5
	mappingBuildID = 6

	lineFunction = 1
	lineNumber   = 2

	functionID         = 1
	functionName       = 2
	functionSystemName = 3
	functionFile       = 4
)

// numberFields holds the varint fields of a message, by field number. Absent fields are 0.
type numberFields [mappingBuildID + 1]uint64

// read reads the fields of b. It returns false if b is damaged.
func (f *numberFields) read(b []byte) bool {
	var tag, v uint64
	for len(b) > 0 {
		tag, v, _, b = nextField(b)
		if tag == damagedTag {
			return false
		}
		if field := tag >> 3; tag&7 == varintForm && field < uint64(len(f)) {
			f[field] = v
		}
	}
	return true
}

// maxFrames is the most frames that a stack may have. The runtime stops at 128, or with
// GODEBUG=profstackdepth at 1,024, and then adds the calls inlined into the last frame.
const maxFrames = 2048

// valueType is the type of the values in the samples, as string indexes.
type valueType struct{ what, unit uint64 }

func readValueType(b []byte) (valueType, error) {
	var f numberFields
	if !f.read(b) {
		return valueType{}, malformed("damaged sample type")
	}
	return valueType{what: f[valueTypeType], unit: f[valueTypeUnit]}, nil
}

// sample is a stack, as location IDs, and the number of goroutines with it. One sample is
// reused for all, to reuse the slice.
type sample struct {
	locations []uint64
	count     int
}

// read reads a sample, except its labels.
func (s *sample) read(b []byte) error {
	var room [2]uint64 // one more than a sample may have, to detect a second
	counts, ok := room[:0], true
	s.locations = s.locations[:0]
	var tag uint64
	var content []byte
	for len(b) > 0 && ok {
		tag, _, content, b = nextField(b)
		switch tag {
		case sampleLocation, sampleLocations:
			s.locations, ok = appendNumbers(s.locations, content, maxFrames+1)
		case sampleCount, sampleCounts:
			counts, ok = appendNumbers(counts, content, len(room))
		case damagedTag:
			ok = false
		}
	}
	if !ok {
		return malformed("damaged sample")
	}
	return s.check(counts)
}

// check validates a sample and sets its count.
func (s *sample) check(counts []uint64) error {
	switch {
	case len(s.locations) > maxFrames:
		return errTooDeep()
	case len(counts) != 1:
		return malformed("sample without a count, or with several")
	case counts[0] > math.MaxInt:
		return malformed("count is negative or too large")
	}
	s.count = int(counts[0])
	return nil
}

func errTooDeep() error {
	return malformed("a stack of more than %d frames", maxFrames)
}

// readMapping returns the indexes of the strings that a mapping refers to. Go writes these
// strings last: if they are missing, the profile was cut short.
func readMapping(b []byte) (file, buildID uint64, err error) {
	var f numberFields
	if !f.read(b) {
		return 0, 0, malformed("damaged mapping")
	}
	return f[mappingFile], f[mappingBuildID], nil
}

// location is a program counter, as the lines of the calls inlined there, innermost first.
// One location is reused for all, to reuse the slice.
type location struct {
	id    uint64
	lines []sourceLine
}

// sourceLine is a line of the function with an ID.
type sourceLine struct {
	function uint64
	number   int32
}

func (l *location) read(b []byte) error {
	l.id, l.lines = 0, l.lines[:0]
	var tag, v uint64
	var content []byte
	for len(b) > 0 {
		tag, v, content, b = nextField(b)
		switch tag {
		case locationID:
			l.id = v
		case locationLine:
			if err := l.readLine(content); err != nil {
				return err
			}
		case damagedTag:
			return malformed("damaged location")
		}
	}
	switch {
	case l.id == 0:
		return malformed("location without an ID")
	case len(l.lines) == 0:
		return malformed("location without a line")
	}
	return nil
}

func (l *location) readLine(b []byte) error {
	var f numberFields
	if !f.read(b) {
		return malformed("damaged line")
	}
	function, line := f[lineFunction], f[lineNumber]
	switch {
	case function == 0:
		return malformed("line without a function")
	case line > math.MaxInt32: // includes negative numbers
		return malformed("line number out of range")
	case len(l.lines) == maxFrames:
		return errTooDeep()
	}
	l.lines = append(l.lines, sourceLine{function: function, number: int32(line)})
	return nil
}

// sourceFunction is a function, with its strings as indexes.
type sourceFunction struct{ id, name, systemName, file uint64 }

func readFunction(b []byte) (sourceFunction, error) {
	var f numberFields
	switch {
	case !f.read(b):
		return sourceFunction{}, malformed("damaged function")
	case f[functionID] == 0:
		return sourceFunction{}, malformed("function without an ID")
	}
	return sourceFunction{
		id:         f[functionID],
		name:       f[functionName],
		systemName: f[functionSystemName],
		file:       f[functionFile],
	}, nil
}
