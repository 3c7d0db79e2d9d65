package instrument

import (
	"errors"
	"fmt"
	"runtime/debug"

	"go.opentelemetry.io/otel"
)

// guard calls f and turns a panic into an error.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{value: fmt.Sprint(p), stack: debug.Stack()}
		}
	}()
	return f()
}

// panicError is a recovered panic.
type panicError struct {
	value string
	stack []byte // of addresses that differ from one time to the next
}

func (e *panicError) Error() string {
	return fmt.Sprintf("panic, please report it: %s\n%s", e.value, e.stack)
}

// isPanic reports whether err is a recovered panic.
func isPanic(err error) bool { return errors.As(err, new(*panicError)) }

// trouble passes errors to OpenTelemetry's error handler, which logs them by default. An
// error that lasts is passed once.
type trouble struct{ latest string }

// report passes err on if it differs from the one before. A nil error ends the trouble.
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
	// The handler may be the service's own. Its panic must not end the sampling.
	_ = guard(func() error {
		otel.Handle(fmt.Errorf("instrument: %w", err))
		return nil
	})
}
