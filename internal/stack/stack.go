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
	"hash/fnv"
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
type Signature struct {
	// ID is a hash of the other fields but the file: the same build gives
	// the same ID in every process, whether read off a profile or a trace.
	ID ID
	// State is why these goroutines wait.
	State State
	// Blamed is the frame that a person would call the place where they
	// stand: the first from the leaf that is outside the standard library.
	// The line of a running goroutine is wherever it happened to be, so it
	// is 0 in a running group, whose blamed function is its entry.
	Blamed Frame
	// Entry is the function that they were started with; empty if their
	// stacks are too deep to show it.
	Entry string
}

// ID is the hash of a signature.
type ID uint64

// String returns the ID as 16 hex digits.
func (id ID) String() string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(id))
	return hex.EncodeToString(b[:])
}

// identify returns the ID that belongs to the other fields of s.
func identify(s Signature) ID {
	h := fnv.New64a()
	for _, part := range []string{string(s.State), s.Blamed.Function, strconv.Itoa(s.Blamed.Line), s.Entry} {
		_, _ = h.Write([]byte(part)) // never fails, says hash.Hash
		_, _ = h.Write([]byte{0})
	}
	return ID(h.Sum64())
}
