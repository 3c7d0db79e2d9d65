package exectrace

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// TestCheckPassesWhatDecodeDoes reads complete traces, in pieces of any size.
func TestCheckPassesWhatDecodeDoes(t *testing.T) {
	for name, data := range fixtures(t) {
		for _, r := range []io.Reader{bytes.NewReader(data), iotest.OneByteReader(bytes.NewReader(data))} {
			if err := Check(r); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestCheckRefusesNothingMore damages fixtures: Decode must refuse whatever Check refuses.
func TestCheckRefusesNothingMore(t *testing.T) {
	for name, data := range fixtures(t) {
		refused := 0
		for i := 0; i < len(data); i += 101 {
			damaged := bytes.Clone(data)
			damaged[i] ^= 1 << (i % 8)
			for _, body := range [][]byte{damaged, data[:i]} {
				err := Check(bytes.NewReader(body))
				if err == nil {
					continue
				}
				refused++
				checkError(t, err)
				if _, err := Decode(body); err == nil {
					t.Errorf("%s, byte %d: Check alone refuses it", name, i)
				}
			}
		}
		if refused == 0 {
			t.Errorf("%s: nothing was refused", name)
		}
	}
}

// counted counts the bytes read.
type counted struct {
	io.Reader
	n int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

// endless is a reader that repeats a part forever.
type endless struct {
	part []byte
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.part[e.at:])
	e.at = (e.at + n) % len(e.part)
	return n, nil
}

// TestCheckEndsWhatDoesNotEnd reads bodies without an end.
func TestCheckEndsWhatDoesNotEnd(t *testing.T) {
	goals := func(generation uint64) []byte {
		return traceBuilder(nil).batchOf(generation, 1, bytes.Repeat([]byte{evHeapGoal, 0, 0}, 20_000))
	}
	after := func(part []byte) io.Reader {
		return io.MultiReader(bytes.NewReader(newTrace(go126)), &endless{part: part})
	}
	for _, tc := range []struct {
		name string
		body io.Reader
		want error
		most int
	}{
		{"zeroes", &endless{part: []byte{0}}, ErrNotTrace, 128 << 10},
		{"gzip", io.MultiReader(strings.NewReader("\x1f\x8b"), &endless{part: []byte{0}}), ErrNotTrace, 128 << 10},
		{"a page", &endless{part: []byte("<html>")}, ErrNotTrace, 128 << 10},
		{"zeroes after a header", after([]byte{0}), ErrMalformed, 128 << 10},
		{"events", after(goals(1)), ErrTooLarge, maxActiveBytes + 128<<10},
		{"strings", after(traceBuilder(nil).batch(1, stringTable(strings.Repeat("x", 60_000)))), ErrTooLarge, maxActiveBytes + 128<<10},
		{"generations", after(append(goals(1), goals(2)...)), ErrTooLarge, maxActiveBytes + 128<<10},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := &counted{Reader: tc.body}
			var err error
			n := allocated(func() { err = Check(c) })
			if !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if c.n > tc.most {
				t.Errorf("%d bytes were read", c.n)
			}
			if n > 160<<10 {
				t.Errorf("%d bytes were allocated", n)
			}
		})
	}
}

func TestCheckReturnsTheErrorOfItsSource(t *testing.T) {
	broken := errors.New("broken")
	for name, data := range fixtures(t) {
		for _, n := range []int{0, 10, headerLength, len(data) / 2} {
			if err := Check(io.MultiReader(bytes.NewReader(data[:n]), iotest.ErrReader(broken))); !errors.Is(err, broken) {
				t.Errorf("%s, %d bytes: %v", name, n, err)
			}
		}
	}
}
