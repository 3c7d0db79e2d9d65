package profile

import (
	"unsafe"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// tables hold what samples refer to. Their elements are small, and there are
// never more than were counted: a hostile profile is nothing but elements.
type tables struct {
	names names

	functions   []function
	functionIDs ids

	locations   []part
	locationIDs ids
	lines       []line

	// current is the location that is being read.
	current location
}

// function is the name of a function and the path of its file, as indexes of
// strings, and its traits once they are known, with the mark that they are.
type function struct {
	name, file uint32
	traits     stack.Traits
}

// line is a line of a function, the latter by its index.
type line struct {
	function uint32
	number   int32
}

// part is which of the lines belong to a location, the innermost call first.
type part struct{ from, to uint32 }

// fill reads the tables of a body that has been tallied.
func (t *tables) fill(body []byte, seen *tally) error {
	t.names.fill(body, seen)
	if err := t.checkKind(seen.kind); err != nil {
		return err
	}
	tables := body[seen.tablesAt.from:seen.tablesAt.to]
	if err := t.fillFunctions(tables, seen.functions); err != nil {
		return err
	}
	return t.fillLocations(tables, seen.locations)
}

// checkKind checks what the profile counts, if the strings came too early for the
// tally to do it.
func (t *tables) checkKind(k kind) error {
	if k.named() {
		return nil
	}
	k.see(k.first.what, []byte(t.names.raw(uint32(k.first.what))))
	k.see(k.first.unit, []byte(t.names.raw(uint32(k.first.unit))))
	return k.check()
}

func (t *tables) fillFunctions(b []byte, count int) error {
	t.functions = emptied(t.functions, count)
	t.functionIDs.reset()
	var tag uint64
	var content []byte
	for len(b) > 0 {
		tag, _, content, b = next(b)
		if tag != profileFunction {
			continue
		}
		if err := t.addFunction(content, count); err != nil {
			return err
		}
	}
	if !arrange(&t.functionIDs, t.functions) {
		return malformed("two functions with the same ID")
	}
	return nil
}

func (t *tables) addFunction(b []byte, count int) error {
	f, err := readFunction(b)
	if err != nil {
		return err
	}
	if i := max(f.name, f.systemName, f.file); i >= uint64(len(t.names.places)) {
		return errNoString(i, len(t.names.places))
	}
	t.functions = append(t.functions, function{name: uint32(f.name), file: uint32(f.file)})
	t.functionIDs.add(f.id, count)
	return nil
}

func (t *tables) fillLocations(b []byte, count int) error {
	t.locations = emptied(t.locations, count)
	t.lines = emptied(t.lines, count)
	t.locationIDs.reset()
	var tag uint64
	var content []byte
	for len(b) > 0 {
		tag, _, content, b = next(b)
		if tag != profileLocation {
			continue
		}
		if err := t.addLocation(content, count); err != nil {
			return err
		}
	}
	if !arrange(&t.locationIDs, t.locations) {
		return malformed("two locations with the same ID")
	}
	return nil
}

func (t *tables) addLocation(b []byte, count int) error {
	if err := t.current.read(b); err != nil {
		return err
	}
	from := len(t.lines)
	for _, l := range t.current.lines {
		i, ok := t.functionIDs.index(l.function)
		if !ok {
			return errNoFunction(l.function)
		}
		t.lines = append(t.lines, line{function: uint32(i), number: l.number})
	}
	t.locations = append(t.locations, part{uint32(from), uint32(len(t.lines))})
	t.locationIDs.add(t.current.id, count)
	return nil
}

// traits returns the traits of the function of a line. Of most functions nobody
// asks for them.
func (t *tables) traits(l line) stack.Traits {
	f := &t.functions[l.function]
	if f.traits == 0 {
		f.traits = stack.TraitsOf(t.names.at(f.name)) | stack.TraitsKnown
	}
	return f.traits
}

// frame returns the frame at a line, which may outlive the profile.
func (t *tables) frame(l line) stack.Frame {
	f := t.functions[l.function]
	return stack.Frame{Function: t.names.own(f.name), File: t.names.own(f.file), Line: int(l.number)}
}

// size returns how many bytes the tables hold.
func (t *tables) size() int {
	return t.names.size() +
		cap(t.functions)*int(unsafe.Sizeof(function{})) +
		cap(t.lines)*int(unsafe.Sizeof(line{})) +
		cap(t.locations)*int(unsafe.Sizeof(part{})) +
		cap(t.functionIDs.sorted)*8 + cap(t.locationIDs.sorted)*8 +
		cap(t.current.lines)*int(unsafe.Sizeof(sourceLine{}))
}
