package exectrace

import (
	"encoding/binary"
	"fmt"
)

// A traceBuilder builds a trace by appending batches in any order.
type traceBuilder []byte

func newTrace(v version) traceBuilder {
	return fmt.Appendf(nil, "go 1.%d trace\x00\x00\x00", v)
}

// batch appends a batch of the first generation.
func (m traceBuilder) batch(thread uint64, data []byte) traceBuilder {
	return m.batchOf(1, thread, data)
}

func (m traceBuilder) batchOf(generation, thread uint64, data []byte) traceBuilder {
	m = append(m, varints(evEventBatch, generation, thread, 1, uint64(len(data)))...)
	return append(m, data...)
}

// tables appends the tables of the first generation in the format of Go 1.23: three stacks with
// IDs 1, 2 and 3, of which the first two wait.
func (m traceBuilder) tables() traceBuilder { return m.tablesOf(1, go123) }

func (m traceBuilder) tablesOf(generation uint64, v version) traceBuilder {
	synchronised := []byte{evFrequency, 1}
	if v >= go125 {
		synchronised = varints(evSync, evFrequency, 1, evSync+1, 0, 1, 1, 1)
	}
	return m.batchOf(generation, 0, synchronised).
		batchOf(generation, 0, varints(evStacks,
			evStack, 1, 3, 11, 1, 9, 5, 12, 2, 9, 7, 13, 3, 9, 8,
			evStack, 2, 2, 14, 4, 9, 5, 12, 2, 9, 7,
			evStack, 3, 1, 13, 3, 9, 8)).
		batchOf(generation, 0, stringTable("runtime.gopark", "main.wait", "main.entry", "time.Sleep", "", "", "", "", "main.go"))
}

// stringTable returns the data of a table of strings with IDs from 1.
func stringTable(all ...string) []byte {
	data := []byte{evStrings}
	for i, s := range all {
		data = append(data, varints(evString, uint64(i+1), uint64(len(s)))...)
		data = append(data, s...)
	}
	return data
}

// varints encodes the parts of an event. Its type is a varint below 128.
func varints(parts ...uint64) []byte {
	var b []byte
	for _, p := range parts {
		b = binary.AppendUvarint(b, p)
	}
	return b
}
