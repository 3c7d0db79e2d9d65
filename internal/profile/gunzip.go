package profile

import (
	"encoding/binary"
	"errors"
	"io"
)

// maxRatio is how many bytes deflate can make of one: a match of 258 bytes takes
// two bits.
const maxRatio = 1032

// openGzip decompresses a body and tallies it.
func (d *decoder) openGzip(data []byte, maxSize int) ([]byte, error) {
	if err := d.rewind(data); err != nil {
		return nil, damagedGzip(err)
	}
	limit := min(maxSize, longBody-1) + 1
	d.buffer = emptied(d.buffer, min(limit, claimedSize(data)+1))
	ended, err := d.fill(limit)
	switch {
	case err != nil:
		return nil, err
	case len(d.buffer) > maxSize:
		return nil, tooLarge(maxSize)
	case ended:
		return d.buffer, d.tallyWhole(d.buffer)
	}
	d.tally.audit = new(audit)
	size, err := d.tallyPieces(maxSize)
	if err != nil {
		return nil, err
	}
	return d.inflate(data, size)
}

// rewind begins to decompress data.
func (d *decoder) rewind(data []byte) error {
	d.input.Reset(data)
	err := d.gunzip.Reset(&d.input)
	d.gunzip.Multistream(false)
	return err
}

// claimedSize returns the size that a gzip stream says its content has, as far as
// that can be believed.
func claimedSize(data []byte) int {
	if len(data) < 4 {
		return 0
	}
	claimed := uint64(binary.LittleEndian.Uint32(data[len(data)-4:]))
	return int(min(claimed, maxRatio*uint64(len(data)), longBody))
}

// fill reads into the buffer until it has limit bytes or the stream has ended,
// and tells whether it has.
func (d *decoder) fill(limit int) (ended bool, err error) {
	for len(d.buffer) < limit {
		if len(d.buffer) == cap(d.buffer) {
			d.buffer = append(make([]byte, 0, min(limit, 2*cap(d.buffer)+512)), d.buffer...)
		}
		room := d.buffer[len(d.buffer):min(cap(d.buffer), limit)]
		n, err := d.gunzip.Read(room)
		d.buffer = d.buffer[:len(d.buffer)+n]
		switch {
		case errors.Is(err, io.EOF):
			return true, d.checkEnd()
		case err != nil:
			return false, damagedGzip(err)
		}
	}
	return false, nil
}

// checkEnd checks that nothing follows the stream that has ended.
func (d *decoder) checkEnd() error {
	if n := d.input.Len(); n > 0 {
		return malformed("%d bytes after the gzip stream", n)
	}
	return nil
}

// tallyPieces tallies the body of which the start is in the buffer, and returns
// its size.
func (d *decoder) tallyPieces(maxSize int) (int, error) {
	for offset, ended := 0, false; ; {
		n, err := d.tally.walk(d.buffer, offset)
		if err == nil && n == 0 && len(d.buffer) > 0 {
			err = malformed("no field of at most %d bytes at byte %d", longBody, offset)
		}
		switch {
		case err != nil && offset == 0:
			return 0, explain(err, d.buffer)
		case err != nil:
			return 0, err
		case n == len(d.buffer) && ended:
			return offset + n, d.tally.finish()
		}
		offset += n
		d.buffer = d.buffer[:copy(d.buffer, d.buffer[n:])]
		if ended, err = d.fill(longBody); err != nil {
			return 0, err
		}
		if offset+len(d.buffer) > maxSize {
			return 0, tooLarge(maxSize)
		}
	}
}

// inflate decompresses a body of which the size is known.
func (d *decoder) inflate(data []byte, size int) ([]byte, error) {
	if err := d.rewind(data); err != nil {
		return nil, damagedGzip(err)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(&d.gunzip, body); err != nil {
		return nil, damagedGzip(err)
	}
	return body, nil
}

func damagedGzip(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return malformed("gzip stream cut short")
	}
	return malformed("%v", err)
}
