package profile

import (
	"bytes"
	"sync"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// decoder is the memory that reading a profile takes.
type decoder struct {
	input    bytes.Reader
	inflater inflater
	buffer   []byte

	tally  tally
	tables tables
	groups groups
}

// decoders keeps decoders from one profile to the next: in a receiver that
// scrapes a hundred processes, making them anew is most of what is allocated.
var decoders = sync.Pool{New: func() any { return new(decoder) }}

// maxRetained is the most memory, in bytes, with which a decoder is kept. After a
// profile of 5,000 stacks it has 2 million.
const maxRetained = 4 << 20

// acquire returns a decoder for profiles whose samples count what is wanted.
func acquire(wanted string) *decoder {
	d := decoders.Get().(*decoder)
	d.tally.kind.wanted = wanted
	return d
}

// release lets go of the profile, and keeps d for another if it is not too large.
func (d *decoder) release() {
	if d.size() > maxRetained {
		return
	}
	d.input.Reset(nil)
	d.inflater.forget()
	d.tally = tally{}
	d.tables.names.forget()
	d.groups.forget()
	decoders.Put(d)
}

// size returns about how many bytes d holds.
func (d *decoder) size() int {
	return cap(d.buffer) + d.tables.size() + d.groups.size()
}

// tabulate makes the tables.
func (d *decoder) tabulate(body []byte) error {
	return d.tables.fill(body, &d.tally)
}

// group reads the samples.
func (d *decoder) group(body []byte) (*stack.Snapshot, error) {
	d.groups.reset(d.tally.samples, len(body))
	samples := body[d.tally.samplesAt.from:d.tally.samplesAt.to]
	for len(samples) > 0 {
		tag, _, content, rest := next(samples)
		if tag == profileSample {
			if err := d.groups.add(content, &d.tables); err != nil {
				return nil, err
			}
		}
		samples = rest
	}
	s := d.groups.snapshot()
	s.Build = d.tables.names.own(uint32(d.tally.build))
	return s, nil
}

// emptied returns an empty slice with room for n elements: s itself, if it has it.
func emptied[T any](s []T, n int) []T {
	if cap(s) >= n {
		return s[:0]
	}
	return make([]T, 0, n)
}
