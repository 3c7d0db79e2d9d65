package profile

import "google.golang.org/protobuf/encoding/protowire"

// A tag is the number of a field and the form of its content. A field that has
// another form than expected has another tag, so it is an unknown field, which
// is what protobuf says of it.
const (
	numberForm = uint64(protowire.VarintType)
	bytesForm  = uint64(protowire.BytesType)

	// damaged is the tag of what is not a field.
	damaged = 0
)

// next reads the field at the start of b: its tag, its value if it is a number,
// its content if it is a number, a string or a message, and what follows it. If b
// does not begin with a whole field, the tag is damaged.
func next(b []byte) (tag, value uint64, content, rest []byte) {
	// Most tags take one byte, and most numbers and lengths one or two.
	if len(b) < 3 || b[0] >= 0x80 {
		return nextLong(b)
	}
	tag, value, rest = uint64(b[0]), uint64(b[1]), b[2:]
	if value >= 0x80 {
		value, rest = value&0x7f|uint64(b[2])<<7, b[3:]
	}
	switch {
	case value >= 1<<14 || tag < 1<<3:
		return nextLong(b)
	case tag&7 == numberForm:
		return tag, value, b[1 : len(b)-len(rest)], rest
	case tag&7 == bytesForm && value <= uint64(len(rest)):
		return tag, 0, rest[:value], rest[value:]
	}
	return nextLong(b)
}

// nextLong reads a field of any length.
func nextLong(b []byte) (tag, value uint64, content, rest []byte) {
	number, form, n := protowire.ConsumeTag(b)
	if n < 0 {
		return damaged, 0, nil, nil
	}
	rest = b[n:]
	switch form {
	case protowire.VarintType:
		value, n = protowire.ConsumeVarint(rest)
		content = rest[:max(n, 0)]
	case protowire.BytesType:
		content, n = protowire.ConsumeBytes(rest)
	case protowire.Fixed32Type:
		_, n = protowire.ConsumeFixed32(rest)
	case protowire.Fixed64Type:
		_, n = protowire.ConsumeFixed64(rest)
	default: // groups, which the format never had
		n = -1
	}
	if n < 0 {
		return damaged, 0, nil, nil
	}
	return protowire.EncodeTag(number, form), value, content, rest[n:]
}

// appendNumbers appends numbers, one or packed, until there are limit of them;
// false if they are damaged.
func appendNumbers(numbers []uint64, b []byte, limit int) ([]uint64, bool) {
	for i := 0; i < len(b) && len(numbers) < limit; {
		if v := b[i]; v < 0x80 {
			numbers = append(numbers, uint64(v))
			i++
			continue
		}
		v, n := protowire.ConsumeVarint(b[i:])
		if n < 0 {
			return numbers, false
		}
		numbers = append(numbers, v)
		i += n
	}
	return numbers, true
}
