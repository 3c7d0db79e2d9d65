package exectrace

import (
	"errors"
	"strings"
	"testing"
)

func TestWhatIsNoTrace(t *testing.T) {
	for _, tc := range []struct {
		name, data string
		want       error
		says       string
	}{
		{"nothing", "", ErrNotTrace, "empty body"},
		{"page", "<!DOCTYPE html><html><body>Sign in</body></html>", ErrNotTrace, "HTML"},
		{"indented page", "\n\t <html>", ErrNotTrace, "HTML"},
		{"message", "Could not enable tracing: tracing is already enabled\n", ErrNotTrace, "text"},
		{"profile", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", ErrNotTrace, "gzip"},
		{"profile, debug=1", "goroutine profile: total 7\n", ErrNotTrace, "goroutine profile as text"},
		{"profile, debug=2", "goroutine 1 [running]:\nmain.main()\n", ErrNotTrace, "goroutine profile as text"},
		{"noise", "\x7fELF\x02\x01\x01\x00", ErrNotTrace, "binary"},
		{"message that begins like a trace", "go 1.26 is not what runs here", ErrNotTrace, "header"},
		{"one byte", "g", ErrMalformed, "header"},
		{"part of a header", "go 1.26 tra", ErrMalformed, "header"},
		{"header alone", "go 1.26 trace\x00\x00\x00", ErrMalformed, "header"},
		{"Go 1.9", "go 1.9 trace\x00\x00\x00\x00", ErrVersion, "go 1.9 trace"},
		{"Go 1.21", "go 1.21 trace\x00\x00\x00", ErrVersion, "go 1.21 trace"},
		{"Go 1.22", "go 1.22 trace\x00\x00\x00", ErrVersion, "go 1.22 trace"},
		{"a version that never was", "go 1.24 trace\x00\x00\x00", ErrVersion, "go 1.24 trace"},
		{"a version to come", "go 1.27 trace\x00\x00\x00", ErrVersion, "go 1.27 trace"},
		{"no version", "go 1.99999 trace", ErrNotTrace, "header"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Decode([]byte(tc.data))
			if !errors.Is(err, tc.want) {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
			if !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%q does not say %q", err, tc.says)
			}
			checkError(t, err)
		})
	}
}
