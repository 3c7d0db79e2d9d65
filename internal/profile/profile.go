// Package profile reads a goroutine profile, as net/http/pprof serves it with
// debug=0, into a snapshot.
//
// The bytes are not to be trusted: 4 KB on the wire can stand for half a gigabyte
// of objects. So nothing is built before it has been counted:
//
//  1. tally walks over the elements and counts them; a long body is audited on the
//     way, element by element, before any of it is kept;
//  2. tables of what samples refer to, strings, functions and locations, are made
//     of the size that was counted;
//  3. each sample becomes a stack, and stacks are merged by signature.
//
// Labels are never looked into: they hold what users put there.
package profile

import (
	"errors"
	"fmt"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// What Decode refuses. Its errors wrap one of these and add one line of detail,
// at most 200 bytes, which quotes no more than a few bytes of the input.
var (
	// ErrNotProfile is a body that is something else altogether: a page of
	// HTML, the text of debug=1, an execution trace, nothing.
	ErrNotProfile = errors.New("not a profile")
	// ErrOtherProfile is a profile of something else than was asked for.
	ErrOtherProfile = errors.New("another profile")
	// ErrTooLarge is a body above the caller's limit, or one with more
	// signatures than any program has.
	ErrTooLarge = errors.New("profile is too large")
	// ErrMalformed is a profile that is damaged, cut short, or contradicts
	// itself.
	ErrMalformed = errors.New("malformed profile")
)

// Decode reads a goroutine profile, gzipped or plain. maxSize is the most bytes
// that it may have when decompressed. As it comes it may have no more than 8 MiB.
//
// The snapshot has each signature once, with its count; samples that differ in
// their labels alone are one. The runtime's own goroutines are left out. Nothing
// in the snapshot refers to data.
//
// It takes at most 8 bytes of memory for each byte of the decompressed body to
// accept it. To refuse it takes at most 16 MiB, or, if all its parts are sound and
// only what they make together is not, as much as to accept it. Decode may be
// called concurrently.
func Decode(data []byte, maxSize int) (*stack.Snapshot, error) {
	return decode(data, maxSize, "goroutine")
}

// DecodeLeaks reads a profile of leaked goroutines, "goroutineleak", as Decode
// reads one of all goroutines.
func DecodeLeaks(data []byte, maxSize int) (*stack.Snapshot, error) {
	return decode(data, maxSize, "goroutineleak")
}

// DecodeThreads reads a profile of the creation of threads, "threadcreate", as Decode reads
// one of goroutines. It has some hundred bytes whatever the process does, and Snapshot.Build.
func DecodeThreads(data []byte, maxSize int) (*stack.Snapshot, error) {
	return decode(data, maxSize, "threadcreate")
}

// decode reads a profile whose samples count what wanted says.
func decode(data []byte, maxSize int, wanted string) (*stack.Snapshot, error) {
	d := acquire(wanted)
	s, err := d.decode(data, min(maxSize, maxOffset))
	d.release() // not deferred: one that panicked is not used again
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
	return d.group(body)
}

// malformed returns an ErrMalformed that says what is wrong.
func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}
