// Package stack holds the values that every part of the core speaks of, frames,
// states, signatures and snapshots, and how a stack is read: what its goroutine
// waits for, which line is to be blamed for that, and which group it belongs to.
//
// Everything here is a value or a pure function. How a stack came to be here
// (goroutine profile or execution trace) is the business of the decoders; what
// follows from it is the business of the census.
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
	// File is the path of the source file as it was compiled in: absolute,
	// or module-relative in a build with -trimpath.
	File string
	// Line is the line in File, counted from 1; 0 is unknown.
	Line int
}

// Signature is the identity of a group of goroutines: those of one process that
// wait for the same reason at the same line and were started with the same
// function.
//
// A goroutine has the same signature in a profile and in a trace, unless its stack
// is about as deep as a trace can show: from 125 to 127 frames, those of the runtime
// and of inlined calls among them, only the profile shows the entry. See
// docs/decisions/stacks.md.
type Signature struct {
	// ID is a hash of the other fields but the files: the same build gives
	// the same ID in every process, as long as telemetry.SignatureVersion
	// stays the same.
	ID ID
	// State is why these goroutines wait.
	State State
	// Blamed is the frame that a person would call the place where they
	// stand: the first from the leaf that is outside the standard library
	// and outside what only passes a wait on.
	// The line of a running goroutine is wherever it happened to be, so it
	// is 0 in a running group, whose blamed function is its entry.
	Blamed Frame
	// Entry is the function that they were started with, and in a callback from
	// C the exported function; empty if their stacks do not show it.
	Entry string
	// EntryFile is the source file of Entry.
	EntryFile string
	// FromC marks callbacks from a thread that C created. All callbacks of one
	// thread share a goroutine ID, so the ID says nothing of their ages.
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

// identify returns the ID that belongs to the other fields of s: their FNV-1a
// hash, each ended by a zero byte.
func identify(s Signature) ID {
	var line [20]byte
	h := fnvOffset
	h = hash(h, s.State)
	h = hash(h, s.Blamed.Function)
	h = hash(h, strconv.AppendInt(line[:0], int64(s.Blamed.Line), 10))
	h = hash(h, s.Entry)
	if s.FromC {
		h = hash(h, "from C")
	}
	return ID(h)
}

// The parameters of the 64-bit FNV-1a hash (RFC 9923). Package hash/fnv is not
// used, since it needs five allocations for one signature.
const (
	fnvOffset uint64 = 14695981039346656037
	fnvPrime  uint64 = 1099511628211
)

func hash[T ~string | ~[]byte](h uint64, part T) uint64 {
	for i := range len(part) {
		h = (h ^ uint64(part[i])) * fnvPrime
	}
	return h * fnvPrime // a zero byte
}
