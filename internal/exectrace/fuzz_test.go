package exectrace

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
)

// FuzzDecode requires an error of a known kind or a consistent snapshot for any input.
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

// backwards reverses the order of the batches.
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

// hostile returns responses of a hostile endpoint, or of one that does not serve traces.
func hostile() []traceBuilder {
	const most = math.MaxUint64
	start := func() traceBuilder { return newTrace(go123).batch(1, runningThread()) }
	stacks := func(of ...uint64) traceBuilder {
		return start().batch(0, varints(append([]uint64{evStacks}, of...)...)).tables()
	}
	status := func(goroutine uint64) traceBuilder {
		return start().batch(2, varints(evGoStatus, 0, goroutine, most, 4)).tables()
	}
	return []traceBuilder{
		{},
		traceBuilder("<html><script>alert(1)</script>"),
		traceBuilder("goroutine profile: total 1\n"),
		traceBuilder("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"), // gzip
		newTrace(go126),
		start().tables(),
		append(newTrace(go126).batch(1, runningThread()).tablesOf(1, go126), evEndOfGeneration),

		// Generations with huge numbers, in the wrong order, or empty.
		newTrace(go126).batchOf(most, 1, runningThread()).tablesOf(most, go126),
		newTrace(go123).batchOf(2, 1, runningThread()).tablesOf(2, go123).batch(1, runningThread()).tables(),
		append(newTrace(go126), evEndOfGeneration, evEndOfGeneration),

		// Invalid lengths, frame counts and references.
		append(newTrace(go123), varints(evEventBatch, 1, 1, 1, most)...),
		stacks(evStack, 9, most),
		stacks(evStack, 9, 1, most, most, most, most),
		stacks(evStack, 1, 1, 11, 1, 9, 5), // two stacks with one ID
		start().batch(0, varints(evStrings, evString, 99, most)).tables(),
		start().batch(0, stringTable("again", "again")).tables(),
		status(most), status(0), status(1),

		// Names.
		start().batch(0, stringTable("a\xff\xfe", "b\n\r\x1b[31mred\x1b]0;title\a", "<img src=x onerror=alert(1)>",
			strings.Repeat("long/", 2000), strings.Repeat("x", 32<<10))).
			batch(0, varints(evStacks, evStack, 1, 4, 1, 1, 2, 5, 2, 2, 3, 6, 3, 3, 4, 7, 4, 4, 5, 8)),
	}
}
