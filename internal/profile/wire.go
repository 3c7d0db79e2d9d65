package profile

import "google.golang.org/protobuf/encoding/protowire"

// A tag is the number of a field and its wire type. A field of an unexpected wire type has
// another tag and so is treated as an unknown field, as protobuf specifies.
const (
	varintForm = uint64(protowire.VarintType)
	bytesForm  = uint64(protowire.BytesType)

	// damagedTag is returned for bytes that are not a field.
	damagedTag = 0
)

// nextField reads the field at the start of b: its tag, its value if it is a varint, its
// content if it is a varint, a string or a message, and the bytes after it. If b does not
// begin with a complete field, tag is damagedTag.
func nextField(b []byte) (tag, value uint64, content, rest []byte) {
	// Most tags take one byte, and most numbers and lengths one or two.
	if len(b) < 3 || b[0] >= 0x80 {
		return nextLongField(b)
	}
	tag, value, rest = uint64(b[0]), uint64(b[1]), b[2:]
	if value >= 0x80 {
		value, rest = value&0x7f|uint64(b[2])<<7, b[3:]
	}
	switch {
	case value >= 1<<14 || tag < 1<<3:
		return nextLongField(b)
	case tag&7 == varintForm:
		return tag, value, b[1 : len(b)-len(rest)], rest
	case tag&7 == bytesForm && value <= uint64(len(rest)):
		return tag, 0, rest[:value], rest[value:]
	}
	return nextLongField(b)
}

// nextLongField reads a field of any length.
func nextLongField(b []byte) (tag, value uint64, content, rest []byte) {
	number, form, n := protowire.ConsumeTag(b)
	if n < 0 {
		return damagedTag, 0, nil, nil
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
	default: // groups, which profile.proto does not use
		n = -1
	}
	if n < 0 {
		return damagedTag, 0, nil, nil
	}
	return protowire.EncodeTag(number, form), value, content, rest[n:]
}

// appendNumbers appends varints, single or packed, until numbers has limit elements. It
// returns false if they are damaged.
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
