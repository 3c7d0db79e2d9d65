package profile

// audit validates every element of a long body before any of it is kept.
type audit struct {
	sample   sample
	location location

	// highestString is the highest string index that was referred to, the other two are
	// the highest IDs.
	highestString, highestFunction, highestLocation uint64

	// IDs are ordered if they are 1, 2, 3 and so on, as Go writes them.
	functions, locations                   uint64
	functionsUnordered, locationsUnordered bool

	// sampleErr is the error of the first bad sample. It is returned last, since the
	// samples of another kind of profile differ in form: then ErrOtherProfile says more.
	sampleErr error
}

func (a *audit) addElement(tag uint64, b []byte) error {
	switch tag {
	case profileSample:
		a.readSample(b)
	case profileLocation:
		return a.readLocation(b)
	case profileFunction:
		return a.readFunction(b)
	}
	return nil
}

func (a *audit) readSample(b []byte) {
	if a.sampleErr != nil {
		return
	}
	a.sampleErr = a.sample.read(b)
	if a.sample.count == 0 {
		return // groups.add ignores the sample
	}
	for _, id := range a.sample.locations {
		a.highestLocation = max(a.highestLocation, id)
	}
}

func (a *audit) readLocation(b []byte) error {
	if err := a.location.read(b); err != nil {
		return err
	}
	a.locations++
	a.locationsUnordered = a.locationsUnordered || a.location.id != a.locations
	for _, l := range a.location.lines {
		a.highestFunction = max(a.highestFunction, l.function)
	}
	return nil
}

func (a *audit) readFunction(b []byte) error {
	f, err := readFunction(b)
	if err != nil {
		return err
	}
	a.functions++
	a.functionsUnordered = a.functionsUnordered || f.id != a.functions
	a.highestString = max(a.highestString, f.name, f.systemName, f.file)
	return nil
}

// finish checks all references against the complete tally.
func (a *audit) finish(t *tally) error {
	switch {
	case a.sampleErr != nil:
		return a.sampleErr
	case a.highestString >= uint64(t.strings):
		return errNoString(a.highestString, t.strings)
	case !a.functionsUnordered && a.highestFunction > a.functions:
		return errNoFunction(a.highestFunction)
	case !a.locationsUnordered && a.highestLocation > a.locations:
		return errNoLocation(a.highestLocation)
	}
	return nil
}

func errNoFunction(id uint64) error {
	return malformed("refers to function %d, which is not there", id)
}

func errNoLocation(id uint64) error {
	return malformed("refers to location %d, which is not there", id)
}
