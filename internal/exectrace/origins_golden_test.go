package exectrace

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// TestGoldenOrigins compares the Origins of the fixtures with golden files.
func TestGoldenOrigins(t *testing.T) {
	for name, data := range fixtures(t) {
		if strings.HasSuffix(name, "-generations") {
			t.Run(name, func(t *testing.T) { compareOrigins(t, data, "testdata/"+name+".origins") })
		}
	}
}

func compareOrigins(t *testing.T, data []byte, path string) {
	t.Helper()
	asked := waitingGroups(t, data)
	f, err := followAll(data, asked)
	if err != nil {
		t.Fatal(err)
	}
	o := f.Origins([]string{"main.ended", "main.spin", "main.never"})
	checkOrigins(t, o)
	got := textOfOrigins(o, asked)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// waitingGroups returns all waiting groups of a trace, in a fixed order.
func waitingGroups(t testing.TB, data []byte) []stack.Signature {
	t.Helper()
	s, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	var groups []stack.Signature
	for _, g := range s.Groups {
		if g.State != stack.StateRunning {
			groups = append(groups, g.Signature)
		}
	}
	slices.SortFunc(groups, func(a, b stack.Signature) int { return strings.Compare(nameOf(a), nameOf(b)) })
	return groups
}

func nameOf(s stack.Signature) string {
	return fmt.Sprintf("%s %s:%d of %s", s.State, s.Blamed.Function, s.Blamed.Line, s.Entry)
}

// textOfOrigins returns a readable form of o, without times, which vary.
func textOfOrigins(o *Origins, asked []stack.Signature) string {
	var b strings.Builder
	fmt.Fprintf(&b, "standard library in %q\n", o.StandardLibrary)
	launches := map[Launch]string{ByGo: "go", ByTimer: "timer", ByC: "C"}
	starts := make([]string, 0, len(o.Starts))
	for _, s := range o.Starts {
		starts = append(starts, fmt.Sprintf("%s: by %s, %d born, %d ended, %d alive\n\tcreator %s\n",
			s.Entry, launches[s.Launch], s.Born, s.Ended.Count(), len(s.Alive), formatFrames(s.Creator)))
	}
	slices.Sort(starts)
	b.WriteString(strings.Join(starts, ""))
	for i, g := range o.Groups {
		fmt.Fprintf(&b, "%s: %d, %d times again, at %s...\n", nameOf(asked[i]), g.Count, g.Again, formatFrames(g.Stack[:min(3, len(g.Stack))]))
		for _, w := range g.Wakes {
			fmt.Fprintf(&b, "\t%d times, %d of them last, by %s\n", w.Count, w.Last, formatFrames(w.Waker))
		}
	}
	return b.String()
}
