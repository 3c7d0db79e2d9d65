// Package stack defines frames, states, signatures and snapshots, and classifies stacks: what
// a goroutine waits for, which line is to blame, and which group it belongs to.
//
// Everything here is a value or a pure function. Stacks come from the decoders of goroutine
// profiles and execution traces; package census draws conclusions from them.
package stack

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
)

// Frame is one call on a stack.
type Frame struct {
	// Function is the fully qualified name, as the Go runtime writes it:
	// "net/http.(*conn).serve", "main.main.func1".
	Function string
	// File is the path of the source file as recorded by the compiler: absolute, or
	// relative to the module with -trimpath.
	File string
	// Line is the line in File, counted from 1; 0 if unknown.
	Line int
}

// Signature identifies a group of goroutines: those of one process that wait for the same
// reason at the same line and were started with the same function.
//
// A goroutine has the same signature in a profile and in a trace, unless its stack has 125 to
// 127 frames, including those of the runtime and of inlined calls: then only the profile
// shows the entry. See docs/decisions/stacks.md.
type Signature struct {
	// ID is a hash of the other fields except the files. The same build has the same ID in
	// every process, as long as telemetry.SignatureVersion does not change.
	ID ID
	// State is why these goroutines wait.
	State State
	// Blamed is the frame in which a person would look for the cause: the first from the
	// leaf that is outside the standard library and outside packages that only pass a wait
	// on. In a running group it is the entry with line 0, since the actual line is
	// arbitrary.
	Blamed Frame
	// Entry is the function that they were started with, or in a callback from C the
	// exported function. It is empty if the stack does not show it.
	Entry string
	// EntryFile is the source file of Entry.
	EntryFile string
	// FromC marks callbacks from a thread that C created. All callbacks of a thread share
	// a goroutine ID, so the ID does not tell their ages.
	FromC bool
}

// ID is the hash of a signature.
type ID uint64

// String returns the ID as 16 hex digits.
func (id ID) String() string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(id))
	return hex.EncodeToString(b[:])
}

// identify returns the ID for the other fields of s: their FNV-1a hash, each followed by a
// zero byte.
func identify(s Signature) ID {
	var line [20]byte
	h := fnvOffset
	h = hashPart(h, s.State)
	h = hashPart(h, s.Blamed.Function)
	h = hashPart(h, strconv.AppendInt(line[:0], int64(s.Blamed.Line), 10))
	h = hashPart(h, s.Entry)
	if s.FromC {
		h = hashPart(h, "from C")
	}
	return ID(h)
}

// Parameters of the 64-bit FNV-1a hash (RFC 9923). Package hash/fnv would need five
// allocations for a signature.
const (
	fnvOffset uint64 = 14695981039346656037
	fnvPrime  uint64 = 1099511628211
)

func hashPart[T ~string | ~[]byte](h uint64, part T) uint64 {
	for i := range len(part) {
		h = (h ^ uint64(part[i])) * fnvPrime
	}
	return h * fnvPrime // a zero byte
}
