package stack

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

var update = flag.Bool("update", false, "write the golden file anew")

// TestSignaturesKeepTheirVersion compares the signatures of the stacks in testdata/stacks.txt
// with testdata/signatures.golden. Alerts, dashboards and saved evidence refer to signatures, so
// any change requires a new telemetry.SignatureVersion. Update the golden file only with a new
// version, or to add stacks:
//
//	go test -run TestSignaturesKeepTheirVersion -update ./internal/stack
func TestSignaturesKeepTheirVersion(t *testing.T) {
	const path = "testdata/signatures.golden"
	version, recorded := readSignatures(t, path)
	now := fmt.Sprintf("version %d", telemetry.SignatureVersion)
	var lines strings.Builder
	lines.WriteString(now + "\n")
	for stack := range stacksOf(t, "testdata/stacks.txt") {
		signature := describeSignature(t, stack)
		fmt.Fprintf(&lines, "%s\n\t%s\n", stack, signature)
		if before, known := recorded[stack]; known && before != signature && version == now {
			t.Errorf("a signature has changed and telemetry.SignatureVersion has not\nstack: %s\n  was: %s\n   is: %s", stack, before, signature)
		}
	}
	golden := lines.String()
	if *update && !t.Failed() {
		if err := os.WriteFile(path, []byte(golden), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(written), golden); diff != "" {
		t.Errorf("%s is not current (-file +now); run the test with -update:\n%s", path, diff)
	}
}

// readSignatures returns the first line of a golden file and the signature of each stack.
func readSignatures(t *testing.T, path string) (version string, signatures map[string]string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	version, rest, _ := strings.Cut(string(data), "\n")
	signatures = make(map[string]string)
	var stack string
	for line := range strings.Lines(rest) {
		if signature, ok := strings.CutPrefix(line, "\t"); ok {
			signatures[stack] = strings.TrimSuffix(signature, "\n")
			continue
		}
		stack = strings.TrimSuffix(line, "\n")
	}
	return version, signatures
}

// stacksOf returns the stacks in a file, one a line, without empty lines and comments.
func stacksOf(t *testing.T, path string) iter.Seq[string] {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(string) bool) {
		for line := range strings.Lines(string(data)) {
			line = strings.TrimSuffix(line, "\n")
			if line != "" && line[0] != '#' && !yield(line) {
				return
			}
		}
	}
}

func describeSignature(t *testing.T, stack string) string {
	t.Helper()
	s, ok := Read(parse(stack), Unknown)
	if !ok {
		t.Fatalf("no signature: %s", stack)
	}
	from := ""
	if s.FromC {
		from = ", from C"
	}
	return fmt.Sprintf("%s %s at %s:%d, entry %s%s", s.ID, s.State, s.Blamed.Function, s.Blamed.Line, s.Entry, from)
}
