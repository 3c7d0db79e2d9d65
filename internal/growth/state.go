package growth

import "encoding/binary"

// AppendBinary appends the evidence in a form that UnmarshalBinary reads. It is of
// one size, and good for as long as MinDuration stays what it was.
func (e *Evidence) AppendBinary(b []byte) ([]byte, error) {
	for _, part := range e.parts() {
		var err error
		if b, err = binary.Append(b, binary.LittleEndian, part); err != nil {
			return b, err
		}
	}
	return b, nil
}

// UnmarshalBinary reads what AppendBinary appended. It does not look for damage. What
// follows in b is left alone.
func (e *Evidence) UnmarshalBinary(b []byte) error {
	for _, part := range e.parts() {
		n, err := binary.Decode(b, binary.LittleEndian, part)
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// BinarySize is the size in bytes of what AppendBinary appends.
func BinarySize() int {
	size := 0
	for _, part := range new(Evidence).parts() {
		size += binary.Size(part)
	}
	return size
}

// parts points to all that there is in the evidence.
func (e *Evidence) parts() []any {
	return []any{
		&e.last, &e.jump, &e.start, &e.process, &e.first, &e.newcomers, &e.census, &e.resumes,
		&e.floors.end, &e.floors.current, &e.floors.closed, &e.floors.scales,
		&e.lifetime.exits, &e.lifetime.hours, &e.lifetime.at, &e.lifetime.seenExits, &e.lifetime.aged, &e.lifetime.left, &e.lifetime.known,
		&e.belief.since, &e.belief.until, &e.belief.begun, &e.belief.perHour, &e.belief.grown, &e.belief.carry, &e.belief.severity, &e.belief.before,
		&e.population.level, &e.population.base, &e.population.peak, &e.population.past, &e.population.begun,
		&e.former.deviation, &e.former.variance,
	}
}
