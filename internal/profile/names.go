package profile

import (
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// names is the string table.
type names struct {
	// body is the part of the profile that holds the table, and text a copy of it: names
	// are substrings of text, which need no allocation.
	body []byte
	text string
	// places has for each string the offset of its field in body, or an index into
	// replacements, marked isReplaced.
	places []uint32
	// replacements are the strings that had to be cleaned or that outlive the profile;
	// maxReplacements is how many there can be.
	replacements    []string
	maxReplacements int

	copies copies
}

// Marks of a place. An offset has 30 bits.
const (
	isClean    = 1 << 31
	isReplaced = 1 << 30
	marks      = isClean | isReplaced
	maxOffset  = isReplaced - 1
)

// fill builds the string table of a profile.
func (n *names) fill(body []byte, seen *tally) {
	n.body = body[seen.stringsAt.from:seen.stringsAt.to]
	n.text = string(n.body)
	n.places = emptied(n.places, seen.strings)
	n.maxReplacements = min(seen.strings, 2*seen.functions+1) // the name and the path of each, and the build
	for rest := n.body; len(rest) > 0; {
		tag, _, _, after := nextField(rest)
		if tag == profileString {
			n.places = append(n.places, uint32(len(n.body)-len(rest)))
		}
		rest = after
	}
}

// at returns string i, cleaned.
func (n *names) at(i uint32) string {
	switch place := n.places[i]; place & marks {
	case isReplaced:
		return n.replacements[place&^marks]
	case isClean:
		return n.raw(i)
	}
	s := n.raw(i)
	cleaned := stack.Clean(s)
	if cleaned != s {
		return n.replace(i, n.copies.intern(cleaned))
	}
	n.places[i] |= isClean
	return s
}

// cloned returns string i, cleaned, as a string that does not refer to the profile.
func (n *names) cloned(i uint32) string {
	s := n.at(i)
	if n.places[i]&isReplaced != 0 {
		return s
	}
	return n.replace(i, n.copies.intern(s))
}

// replace makes s the value of string i.
func (n *names) replace(i uint32, s string) string {
	if len(n.replacements) == 0 {
		n.replacements = emptied(n.replacements, n.maxReplacements)
	}
	n.places[i] = isReplaced | uint32(len(n.replacements))
	n.replacements = append(n.replacements, s)
	return s
}

// raw returns string i as the profile has it. It must not have been replaced.
func (n *names) raw(i uint32) string {
	_, _, s, after := nextField(n.body[n.places[i]&^marks:])
	end := len(n.body) - len(after)
	return n.text[end-len(s) : end]
}

// forget drops the strings but keeps the allocated slices.
func (n *names) forget() {
	n.body, n.text = nil, ""
	clear(n.replacements)
	n.replacements = n.replacements[:0]
	n.copies.trim()
}
