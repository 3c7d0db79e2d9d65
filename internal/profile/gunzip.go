package profile

import (
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
)

// maxRatio is the highest compression ratio of deflate: a match of 258 bytes takes two
// bits.
const maxRatio = 1032

// inflater decompresses one gzip stream and returns an error if anything follows it.
// Its errors are io.EOF or wrap ErrMalformed.
type inflater struct {
	gunzip gzip.Reader
	input  flate.Reader
}

// rewind starts decompressing input.
func (i *inflater) rewind(input flate.Reader) error {
	i.input = input
	if err := i.gunzip.Reset(input); err != nil {
		return damagedGzip(err)
	}
	i.gunzip.Multistream(false)
	return nil
}

func (i *inflater) Read(p []byte) (int, error) {
	n, err := i.gunzip.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		if _, err := i.input.ReadByte(); err == nil {
			return n, malformed("something follows the gzip stream")
		}
		return n, io.EOF
	case err != nil:
		return n, damagedGzip(err)
	}
	return n, nil
}

// forget drops the references to the stream.
func (i *inflater) forget() {
	i.input = nil
	i.gunzip.Header = gzip.Header{}
}

// openGzip decompresses a body and tallies it.
func (d *decoder) openGzip(data []byte, maxSize int) ([]byte, error) {
	d.input.Reset(data)
	if err := d.inflater.rewind(&d.input); err != nil {
		return nil, err
	}
	limit := min(maxSize, longBody-1) + 1
	d.buffer = emptied(d.buffer, min(limit, claimedSize(data)+1))
	ended, err := d.fill(&d.inflater, limit)
	switch {
	case err != nil:
		return nil, err
	case len(d.buffer) > maxSize:
		return nil, tooLarge(maxSize)
	case ended:
		return d.buffer, d.tallyWhole(d.buffer)
	}
	d.tally.audit = new(audit)
	size, err := d.tallyPieces(&d.inflater, maxSize)
	if err != nil {
		return nil, err
	}
	return d.inflate(data, size)
}

// claimedSize returns the decompressed size in the trailer of a gzip stream, limited to
// what is possible and to longBody.
func claimedSize(data []byte) int {
	if len(data) < 4 {
		return 0
	}
	claimed := uint64(binary.LittleEndian.Uint32(data[len(data)-4:]))
	return int(min(claimed, maxRatio*uint64(len(data)), longBody))
}

// fill reads into the buffer until it has limit bytes or the body ends. ended reports
// the latter.
func (d *decoder) fill(body io.Reader, limit int) (ended bool, err error) {
	for len(d.buffer) < limit {
		if len(d.buffer) == cap(d.buffer) {
			d.buffer = append(make([]byte, 0, min(limit, 2*cap(d.buffer)+512)), d.buffer...)
		}
		room := d.buffer[len(d.buffer):min(cap(d.buffer), limit)]
		n, err := body.Read(room)
		d.buffer = d.buffer[:len(d.buffer)+n]
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}

// tallyPieces tallies a body whose start is in the buffer, and returns its size.
func (d *decoder) tallyPieces(body io.Reader, maxSize int) (int, error) {
	for offset, ended := 0, false; ; {
		n, err := d.tally.walk(d.buffer, offset)
		if err == nil && n == 0 && len(d.buffer) > 0 {
			err = malformed("no field of at most %d bytes at byte %d", longBody, offset)
		}
		switch {
		case err != nil && offset == 0:
			return 0, recognizeError(err, d.buffer)
		case err != nil:
			return 0, err
		case n == len(d.buffer) && ended:
			return offset + n, d.finishPieces(offset)
		}
		offset += n
		d.buffer = d.buffer[:copy(d.buffer, d.buffer[n:])]
		if ended, err = d.fill(body, longBody); err != nil {
			return 0, err
		}
		if offset+len(d.buffer) > maxSize {
			return 0, tooLarge(maxSize)
		}
	}
}

// finishPieces finishes the tally of a body whose last piece is in the buffer and starts
// at offset.
func (d *decoder) finishPieces(offset int) error {
	err := d.tally.finish()
	if offset == 0 {
		return recognizeError(err, d.buffer)
	}
	return err
}

// inflate decompresses a body of known size.
func (d *decoder) inflate(data []byte, size int) ([]byte, error) {
	d.input.Reset(data)
	if err := d.inflater.rewind(&d.input); err != nil {
		return nil, err
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(&d.inflater, body); err != nil {
		return nil, err
	}
	return body, nil
}

func damagedGzip(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return malformed("gzip stream cut short")
	}
	return malformed("%v", err)
}
