package atomicstorage

import (
	"bytes"
	"io"
	"maps"
	"testing"
)

// FuzzScan scans any input. If it is accepted, each value must be readable, and writing them must
// reproduce the input.
func FuzzScan(f *testing.F) {
	var some bytes.Buffer
	_, err := write(&some, 2, func(yield func(entry, error) bool) {
		_ = yield(entry{"a", []byte("one")}, nil) && yield(entry{"b", nil}, nil)
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(some.Bytes())
	f.Add([]byte(fileMagic))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		index, err := scan(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		again, err := write(io.Discard, len(index), func(yield func(entry, error) bool) {
			for key, place := range index {
				value, err := place.read(bytes.NewReader(data))
				if !yield(entry{key, value}, err) {
					return
				}
			}
		})
		if err != nil || !maps.EqualFunc(index, again, func(a, b span) bool { return a.size == b.size && a.checksum == b.checksum }) {
			t.Errorf("%v became %v: %v", index, again, err)
		}
	})
}
