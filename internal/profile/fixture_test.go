package profile

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestFixtures decodes profiles of testdata/make, a program with goroutines in every state,
// as several Go versions wrote them.
func TestFixtures(t *testing.T) {
	for _, version := range []string{"go1.23", "go1.25", "go1.26"} {
		t.Run(version, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", version+".pb.gz"))
			if err != nil {
				t.Fatal(err)
			}
			s, err := Decode(data, plenty)
			if err != nil {
				t.Fatal(err)
			}
			if s.Source != stack.SourceProfile || s.Goroutines != nil || s.Stackless != 0 || s.HighestID != 0 || s.Procs != 0 {
				t.Errorf("the snapshot has what a profile cannot tell: %+v", s)
			}
			if known := version != "go1.23"; (s.Build != "") != known {
				t.Errorf("build ID %q: Go writes one from 1.24 on", s.Build)
			}
			golden(t, filepath.Join("testdata", version+".txt"), describe(s))
		})
	}
}

// TestLeaksFixture decodes the same program's profile of leaked goroutines. It has only the
// few leaks that the runtime can prove.
func TestLeaksFixture(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "leaks-go1.26.gz"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := DecodeLeaks(data, plenty)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("testdata", "leaks-go1.26.txt"), describe(s))
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("groups differ (-%s +decoded):\n%s", path, diff)
	}
}

// describe writes the groups of a snapshot, one a line.
func describe(s *stack.Snapshot) string {
	lines := make([]string, 0, len(s.Groups))
	for _, g := range s.Groups {
		lines = append(lines, fmt.Sprintf("%-15s %2d  %s %s:%d, started with %s\n", g.State, g.Count, g.Blamed.Function, g.Blamed.File, g.Blamed.Line, g.Entry))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}
