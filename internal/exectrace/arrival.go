package exectrace

import (
	"errors"
	"io"
)

// readBatch reads the next batch into memory of its own. It reads no further, since the next
// batch of a trace that is still being taken may come a second later. It returns io.EOF at the
// end of the trace.
func (f *Follower) readBatch() (batch, error) {
	data, size, err := f.readBatchHeader()
	if err != nil {
		return batch{}, err
	}
	if size <= maxBatchSize { // otherwise readBatch refuses it
		header := len(data)
		whole := make([]byte, header+int(size))
		copy(whole, data)
		n, err := io.ReadFull(f.r, whole[header:])
		if err != nil && !isEnd(err) {
			return batch{}, err
		}
		data = whole[:header+n]
	}
	b, _, err := readBatch(data, 0, f.v)
	if b.kind == ignored {
		b.data = nil
	}
	return b, err
}

// readBatchHeader reads the header of a batch, and returns the size of what follows it:
//
//	type, generation, thread, time, size               a batch
//	type, experiment, generation, thread, time, size   a batch of an experiment
//	type                                               the end of a generation
//
// A header that is cut is returned with the size 0. readBatch refuses it.
func (f *Follower) readBatchHeader() (header []byte, size uint64, err error) {
	typ, err := f.r.ReadByte()
	if err != nil {
		return nil, 0, err
	}
	header = append(f.header[:0], typ)
	values := 0
	switch typ {
	case evEventBatch:
		values = 4
	case evExperimentalBatch:
		values = 5
	}
	for read := range values {
		at := len(header)
		for isLast := false; !isLast && len(header) < cap(header); {
			b, err := f.r.ReadByte()
			if isEnd(err) {
				return header, 0, nil
			}
			if err != nil {
				return nil, 0, err
			}
			header = append(header, b)
			// An experiment is a byte, all else are varints.
			isLast = b < 0x80 || values == 5 && read == 0
		}
		r := reader{data: header, at: at}
		size = r.varint()
	}
	return header, size, nil
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
