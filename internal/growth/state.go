package growth

import "encoding/binary"

// AppendBinary implements encoding.BinaryAppender. The encoding has BinarySize bytes, and is valid as
// long as Rules.MinDuration does not change.
func (e *Evidence) AppendBinary(b []byte) ([]byte, error) {
	for _, part := range e.parts() {
		var err error
		if b, err = binary.Append(b, binary.LittleEndian, part); err != nil {
			return b, err
		}
	}
	return b, nil
}

// UnmarshalBinary decodes the output of AppendBinary. It does not detect damage, and ignores further
// bytes in b.
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

// BinarySize returns the size of the encoding of an Evidence, in bytes.
func BinarySize() int {
	size := 0
	for _, part := range new(Evidence).parts() {
		size += binary.Size(part)
	}
	return size
}

// parts returns pointers to all fields.
func (e *Evidence) parts() []any {
	return []any{
		&e.last, &e.rejected, &e.start, &e.process, &e.first, &e.newcomers, &e.census, &e.sparse, &e.resuming,
		&e.floors.end, &e.floors.current, &e.floors.closed, &e.floors.scales,
		&e.lifetime.exits, &e.lifetime.hours, &e.lifetime.at, &e.lifetime.seenExits, &e.lifetime.aged, &e.lifetime.exitsInLife, &e.lifetime.known,
		&e.belief.since, &e.belief.until, &e.belief.growthBegun, &e.belief.perHour, &e.belief.grown, &e.belief.carry, &e.belief.severity, &e.belief.formerSuspected,
		&e.population.level, &e.population.base, &e.population.peak, &e.population.past, &e.population.started,
		&e.formerTrend.deviation, &e.formerTrend.variance,
	}
}
