package exectrace

import (
	"bufio"
	"errors"
	"io"
)

// Check reads a trace as it arrives, up to the first thing for which Decode would
// refuse it whatever follows; its error is one that Decode might have. So of a body
// that is something else, or that never ends, no more is read than it takes to tell.
// An error of r is returned as it is.
//
// What Check has read to its end, Decode may still refuse. Check takes 128 KiB of
// memory, keeps none of it, and is safe for concurrent use.
func Check(r io.Reader) error {
	b := bufio.NewReaderSize(r, maxBatchHeader+1+maxBatchSize)
	start, err := peek(b, sniffed)
	if err != nil {
		return err
	}
	v, err := readHeader(start)
	if err != nil {
		return err
	}
	var s survey
	var generation uint64
	for size, next := headerLength, headerLength; ; size += next {
		if _, err := b.Discard(next); err != nil {
			return err
		}
		data, err := peek(b, b.Size())
		if err != nil || len(data) == 0 {
			return err
		}
		var read batch
		if read, next, err = readBatch(data, 0, v); err != nil {
			return err
		}
		if read.kind != endOfGeneration && read.generation != generation {
			generation = read.generation
			s.nextGeneration()
		}
		if err := s.check(read, size+next); err != nil {
			return err
		}
	}
}

// check walks over a batch of a trace of which so many bytes have been seen.
func (s *survey) check(b batch, size int) error {
	if b.kind == events {
		if err := s.walk(b.data); err != nil {
			return err
		}
	}
	return s.checkSize(size)
}

// peek returns the next n bytes, or what is left of them.
func peek(b *bufio.Reader, n int) ([]byte, error) {
	data, err := b.Peek(n)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return data, err
}
