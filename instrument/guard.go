package instrument

import (
	"errors"
	"fmt"
	"runtime/debug"

	"go.opentelemetry.io/otel"
)

// guard calls f, and makes an error of a panic in it.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{value: fmt.Sprint(p), stack: debug.Stack()}
		}
	}()
	return f()
}

// panicError is a panic that was caught.
type panicError struct {
	value string
	stack []byte // of addresses that differ from one time to the next
}

func (e *panicError) Error() string {
	return fmt.Sprintf("panic, please report it: %s\n%s", e.value, e.stack)
}

// isPanic tells whether an error is a panic that was caught.
func isPanic(err error) bool { return errors.As(err, new(*panicError)) }

// trouble hands what goes wrong to OpenTelemetry's error handler, which logs it
// unless the service has chosen otherwise: each trouble once, however long it
// lasts.
type trouble struct{ latest string }

// report takes in how things stand, nil if well.
func (t *trouble) report(err error) {
	if err == nil {
		t.latest = ""
		return
	}
	text := err.Error()
	if p := new(panicError); errors.As(err, &p) {
		text = p.value
	}
	if text == t.latest {
		return
	}
	t.latest = text
	// The handler is the service's own. What it does must not end the sampling.
	_ = guard(func() error {
		otel.Handle(fmt.Errorf("instrument: %w", err))
		return nil
	})
}
