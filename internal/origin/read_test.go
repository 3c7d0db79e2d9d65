package origin

import (
	"bytes"
	"os"
	"testing"
	"testing/iotest"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
)

// TestRead reads a trace of several generations, the first of which is sufficient, and a truncated
// one.
func TestRead(t *testing.T) {
	trace, err := os.ReadFile("../exectrace/testdata/go1.26-generations.trace")
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := exectrace.Decode(trace)
	if err != nil {
		t.Fatal(err)
	}
	var gathers, none Subjects
	for _, g := range snapshot.Groups {
		if g.Entry == "main.waitReceive" {
			gathers.Groups = append(gathers.Groups, Subject{Signature: g.Signature})
		}
	}
	none.Entries = []Subject{{}}
	none.Entries[0].Signature.Entry = "main.nobody"

	for _, test := range []struct {
		name   string
		of     Subjects
		cut    int
		whole  bool // it is read to its end
		caught Caught
		fails  bool
	}{
		{name: "known early", of: gathers, caught: LeakedBirth},
		{name: "never known", of: none, whole: true, caught: NotCaught},
		{name: "cut off", of: none, cut: 10, whole: true, caught: NotCaught, fails: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := bytes.NewReader(trace[:len(trace)-test.cut])
			follower, origins, err := Read(iotest.OneByteReader(body), test.of)
			if failed := err != nil; failed != test.fails || failed == (follower != nil) {
				t.Fatalf("%v, %v", follower, err)
			}
			if len(origins) != 1 || origins[0].Caught != test.caught {
				t.Errorf("%+v", origins)
			}
			if whole := body.Len() == 0; whole != test.whole {
				t.Errorf("%d bytes are unread", body.Len())
			}
		})
	}
}
