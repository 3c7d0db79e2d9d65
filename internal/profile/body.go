package profile

import (
	"bytes"
	"errors"
	"fmt"
)

// longBody is the size, in bytes, from which a body is audited before any of it is kept.
// A gzipped body is then decompressed twice: first piece by piece for the audit, then
// into a buffer of its exact size. So refusing a gzip bomb, or a long profile that is
// damaged at its end, takes no more memory than refusing a short one. A profile of 5,000
// stacks has half a million bytes.
const longBody = 2 << 20

// maxRaw is the most bytes that a profile may have on the wire, compressed (as Go always
// writes it) or not. It bounds how much is read of one that is too large. Half a million
// goroutines with different labels need as much; most services need some kilobytes.
const maxRaw = 8 << 20

// open returns the decompressed body of a profile and tallies it.
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

// tallyWhole tallies a complete body.
func (d *decoder) tallyWhole(body []byte) error {
	n, err := d.tally.walk(body, 0)
	if err == nil && n < len(body) {
		err = malformed("no field at byte %d of %d", n, len(body))
	}
	if err == nil {
		err = d.tally.finish()
	}
	return recognizeError(err, body)
}

// recognizeError replaces ErrMalformed by ErrNotProfile if the body looks like something
// else than a profile.
func recognizeError(err error, body []byte) error {
	if errors.Is(err, ErrMalformed) {
		if what := recognize(body); what != "" {
			return fmt.Errorf("%w: %s", ErrNotProfile, what)
		}
	}
	return err
}
