package guard

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

var errOfF = errors.New("error of f")

func TestCall(t *testing.T) {
	if err := Call(func() error { return nil }); err != nil {
		t.Error(err)
	}
	if err := Call(func() error { return errOfF }); !errors.Is(err, errOfF) {
		t.Errorf("got %v, want %v", err, errOfF)
	}
	if err := WithStack(errOfF); err != errOfF { //nolint:errorlint // it must not be wrapped
		t.Errorf("got %v, want %v", err, errOfF)
	}
}

func TestPanic(t *testing.T) {
	for name, call := range map[string]func(func() error) error{"Call": Call, "CallMapped": CallMapped} {
		err := call(func() error { panic("out of luck") })
		p := new(Panic)
		if !errors.As(err, &p) || err.Error() != "panic: out of luck" || !strings.Contains(string(p.Stack), "TestPanic") {
			t.Errorf("%s: got %v, %+v", name, err, p)
		}
		text := WithStack(fmt.Errorf("wrapped: %w", err)).Error()
		if !strings.HasPrefix(text, "wrapped: panic: out of luck; please report it\n") || !strings.Contains(text, "TestPanic") {
			t.Errorf("%s: got %q", name, text)
		}
	}
}
