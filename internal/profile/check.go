package profile

import (
	"bufio"
	"errors"
	"io"
)

// Check reads a goroutine profile as it arrives, up to the first thing for which
// Decode would refuse it whatever follows; its error is one that Decode might have.
// So of a body that is something else, or that never ends, no more is read than it
// takes to tell. An error of r is returned as it is.
//
// What Check has read to its end, Decode may still refuse. Check takes 2.25 MiB of
// memory, and is safe for concurrent use.
func Check(r io.Reader, maxSize int) error {
	return check(r, maxSize, "goroutine")
}

// CheckLeaks reads a profile of leaked goroutines, "goroutineleak", as Check reads
// one of all goroutines.
func CheckLeaks(r io.Reader, maxSize int) error {
	return check(r, maxSize, "goroutineleak")
}

// CheckThreads reads a profile of the creation of threads, "threadcreate", as Check reads
// one of goroutines.
func CheckThreads(r io.Reader, maxSize int) error {
	return check(r, maxSize, "threadcreate")
}

func check(r io.Reader, maxSize int, wanted string) error {
	d := acquire(wanted)
	err := d.check(r, min(maxSize, maxOffset))
	d.release()
	return err
}

func (d *decoder) check(r io.Reader, maxSize int) error {
	s := source{Reader: r, left: maxRaw}
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

// source is a reader of which no more than is left is read. It remembers what went
// wrong: from behind gunzip that could not be told from what is wrong with the bytes.
type source struct {
	io.Reader
	left int
	err  error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if s.left -= n; s.left < 0 {
		err = tooLarge(maxRaw)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}
