package finding

import (
	"hash/fnv"
	"strconv"
)

// digest returns a short key for a process at a place. There are tens of thousands, whose names have
// hundreds of bytes. The probability of a collision within a finding is 1 in 10^12.
func digest(parts ...string) string {
	h := fnv.New64a()
	for _, part := range parts {
		_, _ = h.Write([]byte(part)) // never fails
		_, _ = h.Write([]byte{0})
	}
	return strconv.FormatUint(h.Sum64(), 36)
}
