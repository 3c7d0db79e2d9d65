package profile

import (
	"slices"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// names is the string table.
type names struct {
	// body is the part of the body that holds the table, and text a copy of
	// it, so that a name is a part of text and need not be allocated.
	body []byte
	text string
	// places says for each string where in body its field begins, and whether
	// the string is known to be clean.
	places []uint32
	// cleaned holds the strings that had to be cleaned, by their index: one
	// that a million functions share is cleaned once.
	cleaned map[uint64]string
}

// isClean is set in the place of a string that is fit to be shown. No body is so
// large that an offset needs this bit.
const isClean = 1 << 31

// fill makes the table of the strings in the given part of body.
func (n *names) fill(body []byte, at span, count int) {
	n.body = body[at.from:at.to]
	n.text = string(n.body)
	n.places = slices.Grow(n.places[:0], count)
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
	s := n.raw(i)
	if n.places[i]&isClean != 0 {
		return s
	}
	if cleaned, ok := n.cleaned[i]; ok {
		return cleaned
	}
	return n.clean(i, s)
}

// raw returns a string as it came.
func (n *names) raw(i uint64) string {
	_, _, s, after := next(n.body[n.places[i]&^isClean:])
	end := len(n.body) - len(after)
	return n.text[end-len(s) : end]
}

// clean cleans a string and remembers how it came out.
func (n *names) clean(i uint64, s string) string {
	cleaned := stack.Clean(s)
	if cleaned == s {
		n.places[i] |= isClean
		return s
	}
	if n.cleaned == nil {
		n.cleaned = map[uint64]string{}
	}
	n.cleaned[i] = cleaned
	return cleaned
}

// forget lets go of the strings.
func (n *names) forget() {
	n.body, n.text, n.cleaned = nil, "", nil
}
