package goroutinereceiver

import (
	"errors"
	"io"
)

// small is the size of an answer, in bytes, up to which it is read before it is
// looked at: a trace of some 50,000 goroutines.
const small = 1 << 20

// boundedBody is the body of an answer, of which no more than is left is read. It
// remembers what went wrong with reading it.
type boundedBody struct {
	from     io.Reader
	left     int
	tooLarge bool
	err      error
}

func (b *boundedBody) Read(p []byte) (int, error) {
	// One byte more than is left tells whether there is one.
	n, err := b.from.Read(p[:min(len(p), b.left+1)])
	if n > b.left {
		b.tooLarge = true
		return 0, errBodyTooLarge
	}
	b.left -= n
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

// pieces holds bytes of which nobody knows how many will come. Unlike a buffer that
// grows it never holds them twice.
type pieces struct {
	full [][]byte
	last []byte
}

const pieceSize = 256 << 10

func (p *pieces) Write(b []byte) (int, error) {
	written := len(b)
	for len(b) > 0 {
		if len(p.last) == cap(p.last) {
			if p.last != nil {
				p.full = append(p.full, p.last)
			}
			p.last = make([]byte, 0, pieceSize)
		}
		n := min(len(b), cap(p.last)-len(p.last))
		p.last = append(p.last, b[:n]...)
		b = b[n:]
	}
	return written, nil
}

// after returns what follows start together with it.
func (p *pieces) after(start []byte) []byte {
	all := make([]byte, 0, len(start)+len(p.full)*pieceSize+len(p.last))
	all = append(all, start...)
	for _, piece := range p.full {
		all = append(all, piece...)
	}
	return append(all, p.last...)
}
