// Package tracetest builds execution traces of fictitious processes for tests. Each goroutine waits
// on one of a few stacks. The traces have the format of Go 1.26, one generation, and only the events
// that a census needs. internal/exectrace/wire.go describes the format.
package tracetest

import (
	"encoding/binary"
	"slices"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Stack is where goroutines wait, leaf first, down to their entry.
type Stack []stack.Frame

// Goroutine is one goroutine of a process.
type Goroutine struct {
	// ID is the runtime's goroutine ID: above 0 and unique in the process.
	ID uint64
	// Stack is the index of its stack in the program.
	Stack int
}

// Program is the common part of the traces of all processes of a program. It is safe for concurrent
// use.
type Program struct {
	// tables is the end of each trace: stacks, strings, and the mark.
	tables []byte
}

// NewProgram returns a program whose goroutines wait on the given stacks. All stacks, and all names,
// must fit into one batch of 64 KiB each.
func NewProgram(stacks ...Stack) *Program {
	names := stringTable{id: make(map[string]uint64)}
	names.number("wait") // its ID is reason
	table := []byte{evStacks}
	var pc uint64 // identifies a frame, so it must be unique
	for i, s := range stacks {
		table = appendVarints(table, evStack, stackID(i), uint64(len(s)))
		for _, f := range s {
			pc++
			table = appendVarints(table, pc, names.number(f.Function), names.number(f.File), uint64(f.Line))
		}
	}
	tables := appendBatch(nil, table)
	tables = appendBatch(tables, names.data())
	return &Program{tables: append(tables, evEndOfGeneration)}
}

// goroutinesPerBatch is the number of goroutines in one batch. Each takes at most 26 bytes, and a batch
// may have 64 KiB.
const goroutinesPerBatch = 2048

// AppendTrace appends to b the trace of a process with GOMAXPROCS procs and the given goroutines, at
// least one, in any order.
func (p *Program) AppendTrace(b []byte, procs int, goroutines []Goroutine) []byte {
	b = append(b, "go 1.26 trace\x00\x00\x00"...)
	b = appendBatch(b, appendVarints(nil, evSync, evFrequency, clockFrequency, evClockSnapshot, 0, 1, 1, 1))
	// The event with GOMAXPROCS needs a running goroutine: the first one runs, and then waits.
	first, rest := goroutines[0], goroutines[1:]
	data := appendVarints(nil,
		evProcStatus, oneTick, procID, procRunning,
		evGoStatus, oneTick, first.ID, threadID, goRunning,
		evProcsChange, oneTick, uint64(procs), noStack,
		evGoBlock, oneTick, waitReason, stackID(first.Stack))
	b = appendBatch(b, data)
	for some := range slices.Chunk(rest, goroutinesPerBatch) {
		data = data[:0]
		for _, g := range some {
			data = appendVarints(data, evGoStatusStack, oneTick, g.ID, noThread, goWaiting, stackID(g.Stack))
		}
		b = appendBatch(b, data)
	}
	return append(b, p.tables...)
}

// stackID returns the ID of the stack with an index.
func stackID(index int) uint64 { return uint64(index) + 1 }

// Types of batches, tables and events.
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

	generationNumber = 1
	procID           = 0
	threadID         = 0
	noThread         = ^uint64(0)
	noStack          = 0
	// waitReason is the ID of the string with the wait reason.
	waitReason = 1
	// clockFrequency means that a tick of the trace's clock is a nanosecond. oneTick passes
	// between events.
	clockFrequency = 1_000_000_000
	oneTick        = 1
)

// appendBatch appends a batch of the generation and the thread.
func appendBatch(b, data []byte) []byte {
	const since = 1 // ticks
	b = appendVarints(b, evEventBatch, generationNumber, threadID, since, uint64(len(data)))
	return append(b, data...)
}

// appendVarints appends numbers. Types are bytes below 128 and so are varints too.
func appendVarints(b []byte, numbers ...uint64) []byte {
	for _, n := range numbers {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

// stringTable numbers the strings of a trace, from 1.
type stringTable struct {
	all []string
	id  map[string]uint64
}

func (s *stringTable) number(text string) uint64 {
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
