package stack

import "strings"

// MaxNameLength is the length, in bytes, to which function names and paths are truncated. The
// longest names of real programs, generic functions with type arguments, have fewer than
// 1,000.
const MaxNameLength = 1024

// Clean makes a name from untrusted input safe to print and to use as a metric attribute: valid
// UTF-8 without control characters, of at most MaxNameLength bytes. It replaces other
// characters by U+FFFD. Names that need no change are returned without an allocation.
func Clean(name string) string {
	if len(name) > MaxNameLength {
		name = name[:MaxNameLength]
	}
	for i := 0; i < len(name); i++ {
		if c := name[i]; c < 0x20 || c >= 0x7f {
			return cleanSlowly(name)
		}
	}
	return name
}

func cleanSlowly(name string) string {
	name = strings.ToValidUTF8(name, "\uFFFD")
	name = strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, name)
	if len(name) > MaxNameLength { // U+FFFD is longer than what it replaces
		name = strings.ToValidUTF8(name[:MaxNameLength], "")
	}
	return name
}
