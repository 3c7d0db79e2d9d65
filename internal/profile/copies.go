package profile

import "strings"

// copies are strings that do not keep in memory what they were a part of. They
// are kept from one profile to the next, which is likely to be of the same
// program.
type copies struct {
	all   map[string]string
	bytes int
}

// maxCopies is how many bytes of strings are kept for the next profile. The
// signatures of a service have some ten thousand.
const maxCopies = 1 << 20

// of returns a copy of s, the same one each time.
func (c *copies) of(s string) string {
	if copied, ok := c.all[s]; ok {
		return copied
	}
	if c.all == nil {
		c.all = map[string]string{}
	}
	s = strings.Clone(s)
	c.all[s] = s
	c.bytes += len(s)
	return s
}

// trim lets go of the copies if there are too many.
func (c *copies) trim() {
	if c.bytes > maxCopies {
		*c = copies{}
	}
}

// size returns about how many bytes c holds.
func (c *copies) size() int {
	// A slot of the map takes its key, its value and a byte, and up to half of
	// the slots are free.
	const slot = 2 * (16 + 16 + 1)
	return c.bytes + slot*len(c.all)
}
