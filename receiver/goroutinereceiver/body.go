package goroutinereceiver

import (
	"errors"
	"io"
)

// smallBody is the size in bytes up to which a response body is read before it is checked:
// a trace of some 50,000 goroutines.
const smallBody = 1 << 20

// boundedBody reads at most remaining bytes of a response body. It records why reading
// failed.
type boundedBody struct {
	from      io.Reader
	remaining int
	tooLarge  bool
	err       error
}

func (b *boundedBody) Read(p []byte) (int, error) {
	// Reading one byte more shows whether the body is too large.
	n, err := b.from.Read(p[:min(len(p), b.remaining+1)])
	if n > b.remaining {
		b.tooLarge = true
		return 0, errBodyTooLarge
	}
	b.remaining -= n
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

// chunks collects an unknown number of bytes. Unlike bytes.Buffer it does not copy them to
// grow, so they are never in memory twice.
type chunks struct {
	full [][]byte
	last []byte
}

const chunkSize = 256 << 10

func (c *chunks) Write(b []byte) (int, error) {
	written := len(b)
	for len(b) > 0 {
		if len(c.last) == cap(c.last) {
			if c.last != nil {
				c.full = append(c.full, c.last)
			}
			c.last = make([]byte, 0, chunkSize)
		}
		n := min(len(b), cap(c.last)-len(c.last))
		c.last = append(c.last, b[:n]...)
		b = b[n:]
	}
	return written, nil
}

// prefixed returns prefix followed by the collected bytes, in a new slice.
func (c *chunks) prefixed(prefix []byte) []byte {
	all := make([]byte, 0, len(prefix)+len(c.full)*chunkSize+len(c.last))
	all = append(all, prefix...)
	for _, chunk := range c.full {
		all = append(all, chunk...)
	}
	return append(all, c.last...)
}
