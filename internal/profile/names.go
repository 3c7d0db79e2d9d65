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
	// replacements are the strings that had to be cleaned, and most is how
	// many that can be. One that a million functions share is cleaned once.
	replacements []string
	most         int
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
	n.most = min(seen.strings, 2*seen.functions) // the name and the path of each
	for rest := n.body; len(rest) > 0; {
		tag, _, _, after := next(rest)
		if tag == profileString {
			n.places = append(n.places, uint32(len(n.body)-len(rest)))
		}
		rest = after
	}
}

// at returns a string, cleaned.
func (n *names) at(i uint64) string {
	switch place := n.places[i]; place & marks {
	case isClean:
		return n.raw(i)
	case isReplaced:
		return n.replacements[place&^marks]
	}
	return n.clean(i)
}

// raw returns a string as it came, if it has not been replaced.
func (n *names) raw(i uint64) string {
	_, _, s, after := next(n.body[n.places[i]&^marks:])
	end := len(n.body) - len(after)
	return n.text[end-len(s) : end]
}

// clean cleans a string and remembers how it came out.
func (n *names) clean(i uint64) string {
	s := n.raw(i)
	cleaned := stack.Clean(s)
	if cleaned == s {
		n.places[i] |= isClean
		return s
	}
	if len(n.replacements) == 0 {
		n.replacements = emptied(n.replacements, n.most)
	}
	n.places[i] = isReplaced | uint32(len(n.replacements))
	n.replacements = append(n.replacements, cleaned)
	return cleaned
}

// forget lets go of the strings, and keeps the room for others.
func (n *names) forget() {
	n.body, n.text = nil, ""
	clear(n.replacements)
	n.replacements = n.replacements[:0]
}
