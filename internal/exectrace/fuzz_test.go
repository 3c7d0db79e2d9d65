package exectrace

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
)

// FuzzDecode changes real traces. Whatever comes of that, there is an error of a
// known kind or a snapshot that is sound in itself.
func FuzzDecode(f *testing.F) {
	for _, data := range fixtures(f) {
		f.Add(data)
		f.Add(data[:len(data)/2])
		f.Add(backwards(f, data))
	}
	for _, data := range hostile() {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Decode(data)
		if checked := Check(bytes.NewReader(data)); checked != nil && err == nil {
			t.Errorf("Check alone refuses it: %v", checked)
		}
		if err != nil {
			if s != nil {
				t.Error("both a snapshot and an error")
			}
			checkError(t, err)
			return
		}
		check(t, s)
	})
}

// backwards turns the order of the batches around.
func backwards(t testing.TB, data []byte) []byte {
	t.Helper()
	v, err := readHeader(data)
	if err != nil {
		t.Fatal(err)
	}
	var batches [][]byte
	for at := headerLength; at < len(data); {
		_, next, err := readBatch(data, at, v)
		if err != nil {
			t.Fatal(err)
		}
		batches = append(batches, data[at:next])
		at = next
	}
	slices.Reverse(batches)
	return slices.Concat(append([][]byte{data[:headerLength]}, batches...)...)
}

// hostile is what an endpoint may answer that means harm, or is no trace at all.
func hostile() []made {
	const most = math.MaxUint64
	start := func() made { return newTrace(go123).batch(1, running()) }
	stacks := func(of ...uint64) made {
		return start().batch(0, varints(append([]uint64{evStacks}, of...)...)).tables()
	}
	status := func(goroutine uint64) made {
		return start().batch(2, varints(evGoStatus, 0, goroutine, most, 4)).tables()
	}
	return []made{
		{},
		made("<html><script>alert(1)</script>"),
		made("goroutine profile: total 1\n"),
		made("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"), // gzip
		newTrace(go126),
		start().tables(),
		append(newTrace(go126).batch(1, running()).tablesOf(1, go126), evEndOfGeneration),

		// Generations that are huge, go back, or have nothing in them.
		newTrace(go126).batchOf(most, 1, running()).tablesOf(most, go126),
		newTrace(go123).batchOf(2, 1, running()).tablesOf(2, go123).batch(1, running()).tables(),
		append(newTrace(go126), evEndOfGeneration, evEndOfGeneration),

		// Lengths, numbers of frames and references that lead nowhere.
		append(newTrace(go123), varints(evEventBatch, 1, 1, 1, most)...),
		stacks(evStack, 9, most),
		stacks(evStack, 9, 1, most, most, most, most),
		stacks(evStack, 1, 1, 11, 1, 9, 5), // one number, two stacks
		start().batch(0, varints(evStrings, evString, 99, most)).tables(),
		start().batch(0, names("again", "again")).tables(),
		status(most), status(0), status(1),

		// Names.
		start().batch(0, names("a\xff\xfe", "b\n\r\x1b[31mred\x1b]0;title\a", "<img src=x onerror=alert(1)>",
			strings.Repeat("long/", 2000), strings.Repeat("x", 32<<10))).
			batch(0, varints(evStacks, evStack, 1, 4, 1, 1, 2, 5, 2, 2, 3, 6, 3, 3, 4, 7, 4, 4, 5, 8)),
	}
}
