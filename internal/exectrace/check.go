package exectrace

import (
	"bufio"
	"errors"
	"io"
)

// Check reads a trace from r and stops at the first byte at which Decode would fail whatever
// follows. A body that is not a trace, or that never ends, is therefore not read further
// than necessary. Errors are those of Decode; errors of r are returned unchanged.
//
// Decode may still refuse a trace that Check accepts. Check allocates 128 KiB, retains
// nothing, and is safe for concurrent use.
func Check(r io.Reader) error {
	b := bufio.NewReaderSize(r, maxBatchHeader+1+maxBatchSize)
	start, err := peek(b, sniffLength)
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
		if read.kind != batchEndOfGeneration && read.generation != generation {
			generation = read.generation
			s.nextGeneration()
		}
		if err := s.check(read, size+next); err != nil {
			return err
		}
	}
}

// check counts the events of a batch. size is the number of bytes read so far.
func (s *survey) check(b batch, size int) error {
	if b.kind == batchEvents {
		if err := s.walk(b.data); err != nil {
			return err
		}
	}
	return s.checkSize(size)
}

// peek returns the next n bytes, or fewer at the end.
func peek(b *bufio.Reader, n int) ([]byte, error) {
	data, err := b.Peek(n)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return data, err
}
