package profile

import "strings"

// copies interns strings, so that a name does not keep the string table of its profile in
// memory. It is kept from one profile to the next, which is likely to be of the same program.
type copies struct {
	all   map[string]string
	bytes int
}

// maxCopies is how many bytes of strings are kept for the next profile. The
// signatures of a service have some ten thousand.
const maxCopies = 1 << 20

// intern returns a copy of s, the same one each time.
func (c *copies) intern(s string) string {
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

// trim empties c if it holds more than maxCopies.
func (c *copies) trim() {
	if c.bytes > maxCopies {
		*c = copies{}
	}
}
