package origin_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// A trace is read as it arrives, and ended once all origins are known. Its snapshot also serves the
// census.
func ExampleRead() {
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
	_, origins, err := origin.Read(bytes.NewReader(trace), subjects)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, o := range origins {
		own := o.Creators[0].Own
		fmt.Printf("%s, %s: started by %s at %s:%d\n", o.Caught, o.Class, own.Function, filepath.Base(own.File), own.Line)
	}
	// Output: leaked_birth, a reply that never comes: started by main.main at main.go:61
}
