package profile

import (
	"bytes"
	"sync"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// A decoder holds the buffers and tables that decoding a profile needs.
type decoder struct {
	input    bytes.Reader
	inflater inflater
	buffer   []byte

	tally  tally
	tables tables
	groups groups

	// bodySize is the size, in bytes, of the body that the tables were made of.
	bodySize int
}

// decoders keeps decoders from one profile to the next. Without it a profile of 500
// stacks takes 1.3 times the CPU time and ten times the allocations.
var decoders = sync.Pool{New: func() any { return new(decoder) }}

// maxRetainedBody is the size, in bytes, of the longest body after which a decoder is
// reused. Its tables take at most 8 bytes for each byte of the body. A profile of 5,000
// stacks has half a million.
const maxRetainedBody = 1 << 20

// acquire returns a decoder for profiles of the named kind.
func acquire(kind string) *decoder {
	d := decoders.Get().(*decoder)
	d.tally.kind.expected = kind
	return d
}

// release drops all references to the profile, and returns d to the pool unless it has
// grown too large.
func (d *decoder) release() {
	if d.bodySize > maxRetainedBody {
		return
	}
	d.input.Reset(nil)
	d.inflater.forget()
	d.tally = tally{}
	d.tables.names.forget()
	d.groups.forget()
	d.bodySize = 0
	decoders.Put(d)
}

// tabulate makes the tables.
func (d *decoder) tabulate(body []byte) error {
	d.bodySize = len(body)
	return d.tables.fill(body, &d.tally)
}

// group reads the samples.
func (d *decoder) groupSamples(body []byte) (*stack.Snapshot, error) {
	d.groups.reset(d.tally.samples, len(body))
	samples := body[d.tally.samplesAt.from:d.tally.samplesAt.to]
	for len(samples) > 0 {
		tag, _, content, rest := nextField(samples)
		if tag == profileSample {
			if err := d.groups.add(content, &d.tables); err != nil {
				return nil, err
			}
		}
		samples = rest
	}
	s := d.groups.snapshot()
	if d.tally.time != 0 {
		s.At = time.Unix(0, d.tally.time)
	}
	s.Build = d.tables.names.cloned(uint32(d.tally.build))
	return s, nil
}

// emptied returns an empty slice with room for n elements, backed by s if it has that room.
func emptied[T any](s []T, n int) []T {
	if cap(s) >= n {
		return s[:0]
	}
	return make([]T, 0, n)
}
