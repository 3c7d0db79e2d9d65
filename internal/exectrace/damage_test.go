package exectrace

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// A truncated trace must not be accepted as one of a smaller process.
func TestCutIsAnError(t *testing.T) {
	for name, data := range fixtures(t) {
		t.Run(name, func(t *testing.T) {
			boundaries := generationEnds(t, data)
			for n := range len(data) {
				s, err := Decode(data[:n])
				switch {
				case err != nil:
					checkError(t, err)
				case !boundaries[n]:
					t.Errorf("cut at %d of %d: %d goroutines and no error", n, len(data), s.Count())
				}
			}
		})
	}
}

// A trace of more than a second that is cut at the end of a generation is a valid trace of
// less time.
func TestCutBetweenGenerationsIsAShorterTrace(t *testing.T) {
	for name, data := range fixtures(t) {
		for n := range generationEnds(t, data) {
			if n == len(data) {
				continue
			}
			whole, err := Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			cut, err := Decode(data[:n])
			if err != nil {
				t.Fatalf("%s: cut at %d: %v", name, n, err)
			}
			check(t, cut)
			// spin, readied and never started at the end of the trace; readied existed
			// before.
			if got, want := cut.Count(), whole.Count()-2; got != want {
				t.Errorf("%s: cut at %d: %d goroutines, want %d", name, n, got, want)
			}
		}
	}
}

// generationEnds returns where the generations of a trace end.
func generationEnds(t *testing.T, data []byte) map[int]bool {
	t.Helper()
	v, err := readHeader(data)
	if err != nil {
		t.Fatal(err)
	}
	ends := map[int]bool{len(data): true}
	var last uint64
	for at := headerLength; at < len(data); {
		b, end, err := readBatch(data, at, v)
		if err != nil {
			t.Fatal(err)
		}
		if b.kind != batchEndOfGeneration && b.generation != last && last != 0 {
			ends[at] = true
		}
		if b.kind != batchEndOfGeneration {
			last = b.generation
		}
		at = end
	}
	return ends
}

func TestFixturesHaveTheGenerationsTheyAreNamedFor(t *testing.T) {
	for name, data := range fixtures(t) {
		want := 1
		if strings.HasSuffix(name, "-generations") {
			want = 2
		}
		if got := len(generationEnds(t, data)); got != want {
			t.Errorf("%s: %d generations, want %d", name, got, want)
		}
	}
}

// A damaged trace gives an error or a consistent snapshot. Every byte of one trace is changed,
// and some of the others, which have the same parts. With the race detector, which is useless
// in one goroutine, only some are changed; `make cover` runs the tests without it.
func TestDamagedBytes(t *testing.T) {
	for name, data := range fixtures(t) {
		step := 11
		if name == "go1.26" && !raceDetector {
			step = 1
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused := 0
			for i := 0; i < len(data); i += step {
				damaged := bytes.Clone(data)
				damaged[i] ^= 1 << (i % 8)
				s, err := Decode(damaged)
				if err != nil {
					checkError(t, err)
					refused++
					continue
				}
				check(t, s)
			}
			if refused == 0 {
				t.Error("no damage was noticed")
			}
		})
	}
}

func TestBatchesOutOfOrder(t *testing.T) {
	for name, data := range fixtures(t) {
		v, err := readHeader(data)
		if err != nil {
			t.Fatal(err)
		}
		var at []int
		for next := headerLength; next < len(data); {
			at = append(at, next)
			if _, next, err = readBatch(data, next, v); err != nil {
				t.Fatal(err)
			}
		}
		at = append(at, len(data))
		for i := range len(at) - 2 {
			// Swap the batches i and i+1.
			swapped := bytes.Clone(data[:at[i]])
			swapped = append(swapped, data[at[i+1]:at[i+2]]...)
			swapped = append(swapped, data[at[i]:at[i+1]]...)
			swapped = append(swapped, data[at[i+2]:]...)
			s, err := Decode(swapped)
			if err != nil {
				checkError(t, err)
				continue
			}
			check(t, s)
		}
		// In reverse order the generation begins with its end.
		backwards := bytes.Clone(data[:headerLength])
		for i := len(at) - 2; i >= 0; i-- {
			backwards = append(backwards, data[at[i]:at[i+1]]...)
		}
		if _, err := Decode(backwards); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s backwards: %v", name, err)
		}
	}
}
