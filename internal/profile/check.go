package profile

import (
	"bufio"
	"errors"
	"io"
)

// Check reads a goroutine profile from r and stops at the first byte at which Decode
// would fail whatever follows. A body that is not a profile, or that never ends, is
// therefore not read further than necessary. Errors are those of Decode; errors of r are
// returned unchanged.
//
// Decode may still refuse a profile that Check accepts. Check allocates 2.25 MiB and is
// safe for concurrent use.
func Check(r io.Reader, maxSize int) error {
	return checkReader(r, maxSize, "goroutine")
}

// CheckLeaks is like Check for a profile of leaked goroutines, "goroutineleak".
func CheckLeaks(r io.Reader, maxSize int) error {
	return checkReader(r, maxSize, "goroutineleak")
}

// CheckThreads is like Check for a profile of thread creation, "threadcreate".
func CheckThreads(r io.Reader, maxSize int) error {
	return checkReader(r, maxSize, "threadcreate")
}

func checkReader(r io.Reader, maxSize int, kind string) error {
	d := acquire(kind)
	err := d.check(r, min(maxSize, maxOffset))
	d.release()
	return err
}

func (d *decoder) check(r io.Reader, maxSize int) error {
	s := limitedSource{Reader: r, bytesLeft: maxRaw}
	err := d.checkPieces(bufio.NewReader(&s), maxSize)
	if s.err != nil {
		return s.err
	}
	return err
}

func (d *decoder) checkPieces(r *bufio.Reader, maxSize int) error {
	body := io.Reader(r)
	if start, _ := r.Peek(2); isGzip(start) {
		if err := d.inflater.rewind(r); err != nil {
			return err
		}
		body = &d.inflater
	}
	d.buffer = emptied(d.buffer, longBody)
	d.tally.audit = new(audit)
	_, err := d.tallyPieces(body, maxSize)
	return err
}

// limitedSource limits how much is read of a reader. It keeps the reader's error, which
// gzip.Reader would make indistinguishable from damaged data.
type limitedSource struct {
	io.Reader
	bytesLeft int
	err       error
}

func (s *limitedSource) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if s.bytesLeft -= n; s.bytesLeft < 0 {
		err = tooLarge(maxRaw)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}
