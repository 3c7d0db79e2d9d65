package profile

import "github.com/otel-goroutine/otel-goroutine/internal/stack"

// tables holds what samples refer to. Its elements are small and never more than were
// counted, since a hostile profile may consist of nothing else.
type tables struct {
	names names

	functions   []functionRef
	functionIDs idTable

	locations   []lineRange
	locationIDs idTable
	lines       []lineRef

	// location is the one being read.
	location location
}

// functionRef is the name of a function and the path of its file, as string indexes. traits
// is 0 until it has been computed.
type functionRef struct {
	name, file uint32
	traits     stack.Traits
}

// lineRef is a line of the function with an index.
type lineRef struct {
	function uint32
	number   int32
}

// lineRange is the lines of a location, innermost call first.
type lineRange struct{ from, to uint32 }

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

// checkKind checks the kind of the profile if its strings came before the sample types, so
// that the tally could not.
func (t *tables) checkKind(k kind) error {
	if k.isNamed() {
		return nil
	}
	k.observe(k.first.what, []byte(t.names.raw(uint32(k.first.what))))
	k.observe(k.first.unit, []byte(t.names.raw(uint32(k.first.unit))))
	return k.check()
}

func (t *tables) fillFunctions(b []byte, count int) error {
	t.functions = emptied(t.functions, count)
	t.functionIDs.reset()
	var tag uint64
	var content []byte
	for len(b) > 0 {
		tag, _, content, b = nextField(b)
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
	t.functions = append(t.functions, functionRef{name: uint32(f.name), file: uint32(f.file)})
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
		tag, _, content, b = nextField(b)
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
	if err := t.location.read(b); err != nil {
		return err
	}
	from := len(t.lines)
	for _, l := range t.location.lines {
		i, ok := t.functionIDs.index(l.function)
		if !ok {
			return errNoFunction(l.function)
		}
		t.lines = append(t.lines, lineRef{function: uint32(i), number: l.number})
	}
	t.locations = append(t.locations, lineRange{uint32(from), uint32(len(t.lines))})
	t.locationIDs.add(t.location.id, count)
	return nil
}

// traits returns the traits of the function of a line. They are computed on demand, since
// most functions need none.
func (t *tables) traits(l lineRef) stack.Traits {
	f := &t.functions[l.function]
	if f.traits == 0 {
		f.traits = stack.TraitsOf(t.names.at(f.name)) | stack.TraitsKnown
	}
	return f.traits
}

// frame returns the frame at a line. It does not refer to the profile.
func (t *tables) frame(l lineRef) stack.Frame {
	f := t.functions[l.function]
	return stack.Frame{Function: t.names.cloned(f.name), File: t.names.cloned(f.file), Line: int(l.number)}
}
