package profile

import (
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// names is the string table.
type names struct {
	// body is the part of the body that holds the table, and text a copy of
	// it, so that a name is a part of text and need not be allocated.
	body []byte
	text string
	// places says for each string where in body its field begins; or, marked
	// as replaced, which of the replacements stands for it.
	places []uint32
	// replacements stand for strings that had to be cleaned, or that outlive
	// the profile; most is how many there can be.
	replacements []string
	most         int

	copies copies
}

// The marks of a place. An offset has 30 bits.
const (
	isClean    = 1 << 31
	isReplaced = 1 << 30
	marks      = isClean | isReplaced
	maxOffset  = isReplaced - 1
)

// fill makes the table of the strings of a profile.
func (n *names) fill(body []byte, seen *tally) {
	n.body = body[seen.stringsAt.from:seen.stringsAt.to]
	n.text = string(n.body)
	n.places = emptied(n.places, seen.strings)
	n.most = min(seen.strings, 2*seen.functions+1) // the name and the path of each, and the build
	for rest := n.body; len(rest) > 0; {
		tag, _, _, after := next(rest)
		if tag == profileString {
			n.places = append(n.places, uint32(len(n.body)-len(rest)))
		}
		rest = after
	}
}

// at returns a string, cleaned.
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
		return n.replace(i, n.copies.of(cleaned))
	}
	n.places[i] |= isClean
	return s
}

// own returns a string, cleaned, that may outlive the profile.
func (n *names) own(i uint32) string {
	s := n.at(i)
	if n.places[i]&isReplaced != 0 {
		return s
	}
	return n.replace(i, n.copies.of(s))
}

// replace puts s in the place of a string.
func (n *names) replace(i uint32, s string) string {
	if len(n.replacements) == 0 {
		n.replacements = emptied(n.replacements, n.most)
	}
	n.places[i] = isReplaced | uint32(len(n.replacements))
	n.replacements = append(n.replacements, s)
	return s
}

// raw returns a string as it came, if it has not been replaced.
func (n *names) raw(i uint32) string {
	_, _, s, after := next(n.body[n.places[i]&^marks:])
	end := len(n.body) - len(after)
	return n.text[end-len(s) : end]
}

// forget lets go of the strings, and keeps the room for others.
func (n *names) forget() {
	n.body, n.text = nil, ""
	clear(n.replacements)
	n.replacements = n.replacements[:0]
	n.copies.trim()
}

// size returns how many bytes n holds.
func (n *names) size() int {
	return cap(n.places)*4 + cap(n.replacements)*16 + n.copies.size()
}
