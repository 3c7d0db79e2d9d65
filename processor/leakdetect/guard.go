package leakdetect

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// errPanicked is what guard returns of something that panicked.
var errPanicked = errors.New("panic")

// guard makes an error of a panic, and of a fault in mapped memory: a storage is a
// database, and a file of it may be cut. It cannot reach the goroutines that a storage
// starts by itself.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%w: %v", errPanicked, cause)
		}
	}()
	return f()
}
