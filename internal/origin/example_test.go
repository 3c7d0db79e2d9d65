package origin_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// A trace is followed as it arrives, and ended when all is known. What was read is the
// census of that look as well.
func ExampleConclude() {
	trace, err := os.ReadFile("../exectrace/testdata/go1.26-generations.trace")
	if err != nil {
		fmt.Println(err)
		return
	}
	snapshot, err := exectrace.Decode(trace) // a look before told that this group gathers
	if err != nil {
		fmt.Println(err)
		return
	}
	var gathers stack.Signature
	for _, g := range snapshot.Groups {
		if g.Entry == "main.waitReceive" {
			gathers = g.Signature
		}
	}

	subjects := origin.Subjects{Groups: []origin.Subject{{Signature: gathers}}}
	var past []*exectrace.Origins // of traces that were taken before
	f, err := exectrace.Follow(bytes.NewReader(trace), []stack.Signature{gathers})
	var origins []origin.Origin
	for err == nil && !origin.Known(origins) {
		if err = f.Next(); err == nil {
			origins = origin.Conclude(subjects, append(past, f.Origins(nil)))
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		fmt.Println(err)
		return
	}
	for _, o := range origins {
		own := o.Creators[0].Own
		fmt.Printf("%s, %s: started by %s at %s:%d\n", o.Caught, o.Class, own.Function, filepath.Base(own.File), own.Line)
	}
	// Output: leaked_birth, a reply that never comes: started by main.main at main.go:61
}
