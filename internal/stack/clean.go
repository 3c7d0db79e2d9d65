package stack

import "strings"

// MaxNameLength is the most bytes that a function name or a path may have
// before it is cut. The longest names of real programs, generic functions with
// their type arguments, stay below 1,000.
const MaxNameLength = 1024

// Clean makes a name from untrusted input fit to be a metric attribute and to be
// printed: valid UTF-8, no control characters, at most MaxNameLength bytes. What
// it must replace becomes U+FFFD. Clean names come back as they are, without an
// allocation.
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
