package profile

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

func TestCheckPassesWhatDecodeDoes(t *testing.T) {
	bodies := append(fixtures(t), gzipped(t, service(30)), gzipped(t, service(5000)), gzipped(t, service(20_000)))
	for i, body := range bodies {
		for _, data := range [][]byte{body, gunzip(t, body)} {
			if err := Check(bytes.NewReader(data), plenty); err != nil {
				t.Errorf("%d: %v", i, err)
			}
			if len(data) > 100_000 {
				continue
			}
			if err := Check(iotest.OneByteReader(bytes.NewReader(data)), plenty); err != nil {
				t.Errorf("%d, byte by byte: %v", i, err)
			}
		}
	}
}

// TestCheckRefusesNothingMore damages a profile: Decode must refuse whatever Check refuses.
func TestCheckRefusesNothingMore(t *testing.T) {
	plain := gunzip(t, fixtures(t)[0])
	refused := 0
	try := func(body []byte) {
		err := Check(bytes.NewReader(body), plenty)
		if err == nil {
			return
		}
		refused++
		if _, decodeErr := Decode(body, plenty); decodeErr == nil {
			t.Errorf("Check alone refuses it: %v", err)
		}
	}
	for i := 0; i < len(plain); i += 37 {
		damaged := bytes.Clone(plain)
		damaged[i] ^= 1 << (i % 8)
		for _, body := range [][]byte{damaged, plain[:i]} {
			try(body)
			try(compress(t, body))
			try(compress(t, body)[:i/4])
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
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

// TestCheckEndsWhatDoesNotEnd checks bodies that never end, or are far too long.
func TestCheckEndsWhatDoesNotEnd(t *testing.T) {
	measuresMemory(t)
	sound := message{}.then(small()...)
	after := func(start message, part []byte) io.Reader {
		return io.MultiReader(bytes.NewReader(start), &endless{part: part})
	}
	oneString := message{}.bytes(6, make([]byte, 64<<20))
	for _, tc := range []struct {
		name string
		body io.Reader
		want error
		most int // to be read
	}{
		{"zeroes", after(nil, []byte{0}), ErrMalformed, 3 << 20},
		{"a page", after(nil, []byte("<html>")), ErrNotProfile, 3 << 20},
		{"gzip of zeroes", bytes.NewReader(bomb(t, repeated([]byte{0}, 512<<20))), ErrMalformed, 64 << 10},
		{"gzip within gzip", bytes.NewReader(compress(t, compress(t, sound))), ErrNotProfile, 64 << 10},
		{"a string of 64 MiB", bytes.NewReader(oneString), ErrMalformed, 3 << 20},
		{"a string of 64 MiB in gzip", bytes.NewReader(compress(t, oneString)), ErrMalformed, 64 << 10},
		{"empty locations", after(sound, message{}.bytes(4, nil)), ErrMalformed, 3 << 20},
		{"empty functions", after(sound, message{}.bytes(5, nil)), ErrMalformed, 3 << 20},
		{"empty strings", after(sound, message{}.bytes(6, nil)), ErrTooLarge, plenty + 3<<20},
		{"more than comes of a process", after(sound, message{}.bytes(6, noise(1<<20))), ErrTooLarge, maxRaw + 64<<10},
		{"more in gzip", bytes.NewReader(compress(t, many(20, message{}.bytes(6, nil).bytes(6, noise(1<<20))))), ErrTooLarge, maxRaw + 64<<10},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := &counted{Reader: tc.body}
			var err error
			limit := plenty
			if tc.most > plenty+3<<20 {
				limit = math.MaxInt32
			}
			n := allocated(func() { err = Check(c, limit) })
			if !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if c.n > tc.most {
				t.Errorf("%d bytes were read", c.n)
			}
			if n > mostToAudit {
				t.Errorf("%d bytes were allocated", n)
			}
		})
	}
}

func TestCheckReturnsTheErrorOfItsSource(t *testing.T) {
	broken := errors.New("broken")
	data := fixtures(t)[0]
	for _, body := range [][]byte{data, gunzip(t, data), []byte(strings.Repeat("x", 100))} {
		for _, n := range []int{0, 1, len(body) / 2, len(body)} {
			if err := Check(io.MultiReader(bytes.NewReader(body[:n]), iotest.ErrReader(broken)), plenty); !errors.Is(err, broken) {
				t.Errorf("after %d bytes: %v", n, err)
			}
		}
	}
}

// noise returns n bytes that do not compress.
func noise(n int) []byte {
	b := make([]byte, n)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(b) // never fails, says its documentation
	return b
}
