package profile

import (
	"bytes"
	"errors"
	"fmt"
)

// longBody is the size, in bytes, from which on a body is audited before anything
// of it is kept. If it is gzipped it is then decompressed twice, first piece by
// piece, and once it is known to be sound into as much memory as it needs. So to
// refuse a bomb, or a long profile that is damaged at its very end, takes no more
// than to refuse a short one. A profile of 5,000 stacks has half a million.
const longBody = 2 << 20

// maxRaw is the most bytes that a profile may have as it comes, compressed, as Go
// always writes it, or not. It bounds what must be read of one that is too large
// before that is known. Half a million goroutines that differ in their labels make as
// much; those of most services make some kilobytes.
const maxRaw = 8 << 20

// open returns the body of a profile, decompressed, and tallies it.
func (d *decoder) open(data []byte, maxSize int) ([]byte, error) {
	if len(data) > maxRaw {
		return nil, tooLarge(maxRaw)
	}
	if isGzip(data) {
		return d.openGzip(data, maxSize)
	}
	if len(data) > maxSize {
		return nil, tooLarge(maxSize)
	}
	if len(data) >= longBody {
		d.tally.audit = new(audit)
	}
	return data, d.tallyWhole(data)
}

func isGzip(data []byte) bool { return bytes.HasPrefix(data, []byte{0x1f, 0x8b}) }

func tooLarge(maxSize int) error {
	return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, maxSize)
}

// tallyWhole tallies a body that is there as a whole.
func (d *decoder) tallyWhole(body []byte) error {
	n, err := d.tally.walk(body, 0)
	if err == nil && n < len(body) {
		err = malformed("no field at byte %d of %d", n, len(body))
	}
	if err == nil {
		err = d.tally.finish()
	}
	return explain(err, body)
}

// explain returns a better reason to refuse a body, if what can be seen of it
// looks like something else than a profile.
func explain(err error, body []byte) error {
	if errors.Is(err, ErrMalformed) {
		if what := recognize(body); what != "" {
			return fmt.Errorf("%w: %s", ErrNotProfile, what)
		}
	}
	return err
}
