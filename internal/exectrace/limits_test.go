package exectrace

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"
)

// repeated appends batches with n events.
func (m traceBuilder) repeated(n, thread int, event func(i int) []byte) traceBuilder {
	var data []byte
	for i := range n {
		data = append(data, event(i)...)
		if len(data) > maxBatchSize-64 {
			m = m.batch(uint64(thread), data)
			data = data[:0]
		}
	}
	return m.batch(uint64(thread), data)
}

// runningThread returns events after which a thread runs goroutine 1 on processor 0.
func runningThread() []byte {
	return varints(evProcStatus, 0, 0, 1, evGoStatus, 0, 1, 1, 2)
}

// allocated returns how many bytes f allocates in total, which is more than it holds at any
// time.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A trace that is too large must be refused before it allocates much.
func TestLimits(t *testing.T) {
	goal := func(int) []byte { return []byte{evHeapGoal, 0, 0} }
	create := func(i int) []byte { return varints(evGoCreate, 0, uint64(i+2), 3, 0) }
	for _, tc := range []struct {
		name  string
		says  string
		trace func() traceBuilder
	}{
		{"ten million events", "events", func() traceBuilder {
			return newTrace(go123).repeated(10_000_000, 1, goal)
		}},
		{"active goroutines", "goroutines", func() traceBuilder {
			return newTrace(go123).batch(1, runningThread()).repeated(maxActive+1, 1, create)
		}},
		{"batches", "batches", func() traceBuilder {
			m := newTrace(go123)
			for i := range maxBatches + 1 {
				m = m.batch(uint64(i), goal(0))
			}
			return m
		}},
		{"batches of earlier generations", "batches", func() traceBuilder {
			m := newTrace(go126)
			for generation := uint64(1); generation < 5; generation++ {
				for i := range maxBatches / 2 {
					m = m.batchOf(generation, uint64(i), goal(0))
				}
				m = append(m.tablesOf(generation, go126), evEndOfGeneration)
			}
			return m
		}},
		{"events times threads", "threads", func() traceBuilder {
			m := newTrace(go123)
			for i := range maxBatches / 2 {
				m = m.batch(uint64(i), bytes.Repeat([]byte{evProcStop, 0}, 10))
			}
			return m
		}},
		{"frames", "frames", func() traceBuilder {
			return newTrace(go123).batch(1, runningThread()).
				table(evStacks, maxFrames/100, func(i int) []byte {
					return append(varints(evStack, uint64(i+9), 100), bytes.Repeat([]byte{1}, 400)...)
				})
		}},
		{"empty stacks", "frames", func() traceBuilder {
			return newTrace(go123).batch(1, runningThread()).
				table(evStacks, maxFrames+1, func(i int) []byte { return varints(evStack, uint64(i+9), 0) })
		}},
		{"strings", "strings", func() traceBuilder {
			return newTrace(go123).batch(1, runningThread()).
				table(evStrings, maxStrings+1, func(i int) []byte { return varints(evString, uint64(i+9), 0) })
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			data := tc.trace()
			if tc.name != "batches of earlier generations" {
				data = data.tables()
			}
			var err error
			n := allocated(func() { _, err = Decode(data) })
			if !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %v", err)
			}
			checkError(t, err)
			if n > 16<<20 {
				t.Errorf("%d MiB allocated for %d KiB", n>>20, len(data)>>10)
			}
			t.Logf("%d KiB allocated for %d KiB", n>>10, len(data)>>10)
		})
	}
}

// table appends tables with n entries.
func (m traceBuilder) table(typ byte, n int, entry func(i int) []byte) traceBuilder {
	data := []byte{typ}
	for i := range n {
		data = append(data, entry(i)...)
		if len(data) > maxBatchSize-1024 {
			m = m.batch(0, data)
			data = []byte{typ}
		}
	}
	return m.batch(0, data)
}

// Decoding a real trace takes at most eight times its size.
func TestMemoryOfATrueTrace(t *testing.T) {
	end := startParked(20_000)
	data := recordTrace(t)
	end()
	var err error
	if n := allocated(func() { _, err = Decode(data) }); err != nil || n > 8*uint64(len(data)) {
		t.Errorf("%d bytes allocated for %d: %v", n, len(data), err)
	}
}
