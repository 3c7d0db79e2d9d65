// Package profile decodes a goroutine profile, as net/http/pprof serves it with
// debug=0, into a snapshot.
//
// The input is untrusted: 4 KB on the wire can expand to half a gigabyte of objects.
// So elements are counted before anything is allocated for them:
//
//  1. tally walks over the elements and counts them. Each element of a long body is
//     also validated (audit) before any of it is kept.
//  2. The tables of strings, functions and locations are allocated at the counted size.
//  3. Each sample becomes a stack, and stacks are merged by signature.
//
// Labels are never read: they may hold secrets.
package profile

import (
	"errors"
	"fmt"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Errors of this package wrap one of these and add one line of detail of at most 200
// bytes, which quotes no more than a few bytes of the input.
var (
	// ErrNotProfile means that the body is something else: HTML, the text of debug=1, an
	// execution trace, or empty.
	ErrNotProfile = errors.New("not a profile")
	// ErrOtherProfile means that the profile is of another kind than expected.
	ErrOtherProfile = errors.New("unexpected kind of profile")
	// ErrTooLarge means that the body exceeds the caller's limit, or has more
	// signatures than any program has.
	ErrTooLarge = errors.New("profile is too large")
	// ErrMalformed means that the profile is damaged, cut short, or inconsistent.
	ErrMalformed = errors.New("malformed profile")
)

// Decode decodes a goroutine profile, gzipped or plain. maxSize limits its
// decompressed size, in bytes; data itself may have at most 8 MiB.
//
// The snapshot has each signature once, with its count; samples that differ only in
// their labels are merged. The runtime's own goroutines are left out. The snapshot does
// not refer to data.
//
// Decode allocates at most 8 bytes for each byte of the decompressed body. Refusing a
// profile takes at most 16 MiB, or as much as accepting it if each element is valid and
// only their combination is not. Decode is safe for concurrent use.
func Decode(data []byte, maxSize int) (*stack.Snapshot, error) {
	return decodeKind(data, maxSize, "goroutine")
}

// DecodeLeaks is like Decode for a profile of leaked goroutines, "goroutineleak".
func DecodeLeaks(data []byte, maxSize int) (*stack.Snapshot, error) {
	return decodeKind(data, maxSize, "goroutineleak")
}

// DecodeThreads is like Decode for a profile of thread creation, "threadcreate". Such a
// profile has a few hundred bytes in any process, and sets Snapshot.Build.
func DecodeThreads(data []byte, maxSize int) (*stack.Snapshot, error) {
	return decodeKind(data, maxSize, "threadcreate")
}

func decodeKind(data []byte, maxSize int, kind string) (*stack.Snapshot, error) {
	d := acquire(kind)
	s, err := d.decode(data, min(maxSize, maxOffset))
	d.release() // not deferred: a decoder that panicked must not be reused
	return s, err
}

func (d *decoder) decode(data []byte, maxSize int) (*stack.Snapshot, error) {
	body, err := d.open(data, maxSize)
	if err != nil {
		return nil, err
	}
	if err := d.tabulate(body); err != nil {
		return nil, err
	}
	return d.groupSamples(body)
}

// malformed returns an error that wraps ErrMalformed.
func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}
