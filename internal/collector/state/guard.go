package state

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// errPanicked is wrapped by the error of a function that panicked.
var errPanicked = errors.New("panic")

// guard calls f, and returns an error if f panics or faults on mapped memory: a storage may be a
// database whose file was truncated. It does not recover in goroutines that f starts.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%w: %v", errPanicked, cause)
		}
	}()
	return f()
}
