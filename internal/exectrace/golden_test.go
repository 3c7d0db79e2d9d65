package exectrace

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// fixtures returns the traces that testdata/make wrote, by name.
func fixtures(t testing.TB) map[string][]byte {
	t.Helper()
	return fixturesIn(t, "testdata")
}

// namedFixtures returns the traces that testdata/named wrote, by name.
func namedFixtures(t testing.TB) map[string][]byte {
	t.Helper()
	return fixturesIn(t, namedFolder)
}

const namedFolder = "testdata/named"

func fixturesIn(t testing.TB, folder string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(folder + "/*.trace")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	all := make(map[string][]byte)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(path), ".trace")] = data
	}
	return all
}

func TestGolden(t *testing.T) {
	for name, data := range fixtures(t) {
		t.Run(name, func(t *testing.T) { compareGolden(t, data, filepath.Join("testdata", name+".golden")) })
	}
	for name, data := range namedFixtures(t) {
		t.Run("named/"+name, func(t *testing.T) { compareGolden(t, data, filepath.Join(namedFolder, name+".golden")) })
	}
}

func compareGolden(t *testing.T, data []byte, path string) {
	t.Helper()
	s, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	check(t, s)
	if *update {
		if err := os.WriteFile(path, []byte(formatSnapshot(s)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(want), formatSnapshot(s)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// formatSnapshot returns a readable form of a snapshot, one line for each group.
func formatSnapshot(s *stack.Snapshot) string {
	var lines []string
	for _, g := range s.Groups {
		entry := cmp.Or(g.Entry, "(not shown)")
		if g.FromC {
			entry += ", from C"
		}
		lines = append(lines, fmt.Sprintf("%3d %-15s %s %s:%d, entry %s\n",
			g.Count, g.State, g.Blamed.Function, filepath.Base(g.Blamed.File), g.Blamed.Line, entry))
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[3:], b[3:]) })
	head := fmt.Sprintf("%d goroutines, %d stackless, highest ID %d, %d procs\n", s.Count(), s.Stackless, s.HighestID, s.Procs)
	return head + strings.Join(lines, "")
}

// check checks what must be true of every snapshot.
func check(t testing.TB, s *stack.Snapshot) {
	t.Helper()
	if s.Source != stack.SourceTrace {
		t.Errorf("source %q", s.Source)
	}
	if s.Count() != len(s.Goroutines) {
		t.Errorf("%d goroutines counted, %d listed", s.Count(), len(s.Goroutines))
	}
	counts := make([]int, len(s.Groups))
	stackless := 0
	var last uint64
	for _, g := range s.Goroutines {
		if g.ID <= last {
			t.Fatalf("goroutine %d after %d", g.ID, last)
		}
		last = g.ID
		switch {
		case g.Group == stack.NoGroup:
			stackless++
		case g.Group < 0 || int(g.Group) >= len(s.Groups):
			t.Fatalf("goroutine %d is in group %d of %d", g.ID, g.Group, len(s.Groups))
		default:
			counts[g.Group]++
		}
	}
	if last > s.HighestID {
		t.Errorf("goroutine %d is above the highest, %d", last, s.HighestID)
	}
	if stackless != s.Stackless {
		t.Errorf("%d without a group, %d counted", stackless, s.Stackless)
	}
	seen := make(map[stack.ID]bool)
	for i, g := range s.Groups {
		if g.Count != counts[i] {
			t.Errorf("group %d has %d goroutines, counted %d", i, counts[i], g.Count)
		}
		if seen[g.ID] {
			t.Errorf("group %s is there twice", g.ID)
		}
		seen[g.ID] = true
	}
}

// checkError checks what must be true of every error.
func checkError(t testing.TB, err error) {
	t.Helper()
	known := slices.ContainsFunc([]error{ErrNotTrace, ErrVersion, ErrTooLarge, ErrMalformed}, func(sentinel error) bool {
		return errors.Is(err, sentinel)
	})
	if !known {
		t.Errorf("wraps no sentinel: %v", err)
	}
	for _, c := range []byte(err.Error()) {
		if c < 0x20 || c > 0x7e {
			t.Errorf("byte %#x in %q", c, err)
		}
	}
	if len(err.Error()) > 200 {
		t.Errorf("%d bytes: %v", len(err.Error()), err)
	}
}
