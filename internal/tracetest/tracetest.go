// Package tracetest writes execution traces of processes that do not exist, for
// tests: whatever goroutines they are said to have, each waiting on one of a few
// stacks. They are in the format of Go 1.26, of one generation, and say no more
// than a census needs. What they consist of stands in internal/exectrace/wire.go.
package tracetest

import (
	"encoding/binary"
	"slices"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Stack is where goroutines wait, leaf first, down to the function that they were
// started with.
type Stack []stack.Frame

// Goroutine is one goroutine of a process.
type Goroutine struct {
	// ID is the runtime's goroutine ID, above 0 and of no other in the process.
	ID uint64
	// Stack is the index in the program's stacks of the one on which it waits.
	Stack int
}

// Program is what all processes of a program have in common in their traces. It may
// be used concurrently.
type Program struct {
	// tables is the end of each trace: the stacks, the strings, the mark.
	tables []byte
}

// NewProgram makes a program whose goroutines wait on the given stacks. All of them
// together must fit into a batch each of stacks and of names, 64 KiB.
func NewProgram(stacks ...Stack) *Program {
	names := stringTable{id: make(map[string]uint64)}
	names.of("wait") // its ID is reason
	table := []byte{evStacks}
	var pc uint64 // readers know frames by it, so each has its own
	for i, s := range stacks {
		table = appendVarints(table, evStack, stackID(i), uint64(len(s)))
		for _, f := range s {
			pc++
			table = appendVarints(table, pc, names.of(f.Function), names.of(f.File), uint64(f.Line))
		}
	}
	tables := appendBatch(nil, table)
	tables = appendBatch(tables, names.data())
	return &Program{tables: append(tables, evEndOfGeneration)}
}

// batchOf is how many goroutines are put into one batch. Each takes 26 bytes at
// most, and a batch may have 64 KiB.
const batchOf = 2048

// AppendTrace appends to b the trace of a process that has GOMAXPROCS procs and
// these goroutines, at least one, in any order.
func (p *Program) AppendTrace(b []byte, procs int, goroutines []Goroutine) []byte {
	b = append(b, "go 1.26 trace\x00\x00\x00"...)
	b = appendBatch(b, appendVarints(nil, evSync, evFrequency, frequency, evClockSnapshot, 0, 1, 1, 1))
	// Only one that runs can tell GOMAXPROCS. It is the first, and waits then.
	first, rest := goroutines[0], goroutines[1:]
	data := appendVarints(nil,
		evProcStatus, elapsed, processor, procRunning,
		evGoStatus, elapsed, first.ID, thread, goRunning,
		evProcsChange, elapsed, uint64(procs), noStack,
		evGoBlock, elapsed, reason, stackID(first.Stack))
	b = appendBatch(b, data)
	for some := range slices.Chunk(rest, batchOf) {
		data = data[:0]
		for _, g := range some {
			data = appendVarints(data, evGoStatusStack, elapsed, g.ID, noThread, goWaiting, stackID(g.Stack))
		}
		b = appendBatch(b, data)
	}
	return append(b, p.tables...)
}

// stackID is the ID of the stack with an index.
func stackID(index int) uint64 { return uint64(index) + 1 }

// The types of batches, tables and events.
const (
	evEventBatch      = 1
	evStacks          = 2
	evStack           = 3
	evStrings         = 4
	evString          = 5
	evFrequency       = 8
	evProcsChange     = 9
	evProcStatus      = 13
	evGoBlock         = 20
	evGoStatus        = 25
	evGoStatusStack   = 48
	evSync            = 50
	evClockSnapshot   = 51
	evEndOfGeneration = 52
)

const (
	procRunning = 1
	goRunning   = 2
	goWaiting   = 4

	generation = 1
	processor  = 0
	thread     = 0
	noThread   = ^uint64(0)
	noStack    = 0
	// reason is the ID of the string that says why a goroutine waits.
	reason = 1
	// frequency is that of the trace's clock: a tick is a nanosecond. One
	// passes from each event to the next.
	frequency = 1_000_000_000
	elapsed   = 1
)

// appendBatch appends a batch of the one generation and the one thread.
func appendBatch(b, data []byte) []byte {
	const since = 1 // ticks
	b = appendVarints(b, evEventBatch, generation, thread, since, uint64(len(data)))
	return append(b, data...)
}

// appendVarints appends numbers. A type is a byte below 128, so it is one as well.
func appendVarints(b []byte, numbers ...uint64) []byte {
	for _, n := range numbers {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

// stringTable numbers the strings of a trace, from 1 on.
type stringTable struct {
	all []string
	id  map[string]uint64
}

func (s *stringTable) of(text string) uint64 {
	if _, known := s.id[text]; !known {
		s.all = append(s.all, text)
		s.id[text] = uint64(len(s.all))
	}
	return s.id[text]
}

func (s *stringTable) data() []byte {
	data := []byte{evStrings}
	for i, text := range s.all {
		data = appendVarints(data, evString, uint64(i)+1, uint64(len(text)))
		data = append(data, text...)
	}
	return data
}
