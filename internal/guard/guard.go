// Package guard turns panics into errors, so that a defect of one component does not end the
// process that it runs in.
package guard

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// Panic is a recovered panic.
type Panic struct {
	Value string
	Stack []byte // of addresses, which differ from one panic to the next
}

// Error returns the value of the panic, without the stack.
func (p *Panic) Error() string { return "panic: " + p.Value }

// Call calls f and returns its error. If f panics, the error is a *Panic.
func Call(f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &Panic{Value: fmt.Sprint(value), Stack: debug.Stack()}
		}
	}()
	return f()
}

// CallMapped is like Call, and also recovers from faults in mapped memory: a storage may be a
// database whose file is truncated. It cannot recover in goroutines that f starts.
func CallMapped(f func() error) error {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	return Call(f)
}

// WithStack returns err with a request to report it and the stack, if it is or wraps a *Panic;
// otherwise err.
func WithStack(err error) error {
	if p := new(Panic); errors.As(err, &p) {
		return fmt.Errorf("%w; please report it\n%s", err, p.Stack)
	}
	return err
}
