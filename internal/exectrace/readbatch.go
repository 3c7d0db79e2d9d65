package exectrace

import (
	"errors"
	"io"
)

// readBatch reads the next batch into a new buffer. It does not read ahead, since the next
// batch of a trace in progress may come a second later. At the end of the trace it returns
// io.EOF.
func (f *Follower) readBatch() (batch, error) {
	data, size, err := f.readBatchHeader()
	if err != nil {
		return batch{}, err
	}
	if size <= maxBatchSize { // a larger one is refused below
		header := len(data)
		whole := make([]byte, header+int(size))
		copy(whole, data)
		n, err := io.ReadFull(f.r, whole[header:])
		if err != nil && !isEnd(err) {
			return batch{}, err
		}
		data = whole[:header+n]
	}
	b, _, err := readBatch(data, 0, f.version)
	if b.kind == batchIgnored {
		b.data = nil
	}
	return b, err
}

// readBatchHeader reads the header of a batch, and returns it and the size of the data after it:
//
//	type, generation, thread, time, size               a batch
//	type, experiment, generation, thread, time, size   a batch of an experiment
//	type                                               the end of a generation
//
// A truncated header is returned with size 0. readBatch refuses it.
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
			// The experiment is a byte, the others are varints.
			isLast = b < 0x80 || values == 5 && read == 0
		}
		r := reader{data: header, at: at}
		size = r.varint()
	}
	return header, size, nil
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
