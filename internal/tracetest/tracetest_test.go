package tracetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

var (
	receiving = Stack{
		{Function: "runtime.gopark", File: "runtime/proc.go", Line: 460},
		{Function: "runtime.chanrecv", File: "runtime/chan.go", Line: 664},
		{Function: "runtime.chanrecv1", File: "runtime/chan.go", Line: 506},
		{Function: "example.com/shop.(*Pool).work", File: "shop/pool.go", Line: 17},
	}
	sleeping = Stack{
		{Function: "runtime.gopark", File: "runtime/proc.go", Line: 460},
		{Function: "time.Sleep", File: "runtime/time.go", Line: 363},
		{Function: "main.tick", File: "main.go", Line: 8},
		{Function: "main.main", File: "main.go", Line: 3},
	}
)

// seen is a decoded goroutine.
type seen struct {
	state    stack.State
	function string
	line     int
	entry    string
}

func TestTraceIsReadAsModelled(t *testing.T) {
	receives := seen{stack.StateChanReceive, "example.com/shop.(*Pool).work", 17, "example.com/shop.(*Pool).work"}
	sleeps := seen{stack.StateSleep, "main.tick", 8, "main.main"}
	for _, tc := range []struct {
		name       string
		procs      int
		goroutines []Goroutine
		want       map[uint64]seen
		highest    uint64
	}{
		{"one", 1, []Goroutine{{1, 1}}, map[uint64]seen{1: sleeps}, 1},
		{"in no order", 2, []Goroutine{{700, 0}, {1, 1}, {33, 0}}, map[uint64]seen{1: sleeps, 33: receives, 700: receives}, 700},
		{"large IDs", 64, []Goroutine{{1 << 62, 0}, {1<<62 + 1, 1}}, map[uint64]seen{1 << 62: receives, 1<<62 + 1: sleeps}, 1<<62 + 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := read(t, tc.procs, tc.goroutines, tc.highest)
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(seen{})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Goroutines that need more than one batch are all listed once.
func TestManyGoroutines(t *testing.T) {
	const n = 3*goroutinesPerBatch + 5
	goroutines := make([]Goroutine, n)
	for i := range goroutines {
		goroutines[i] = Goroutine{ID: 1<<60 + uint64(i), Stack: i % 2}
	}
	got := read(t, 2, goroutines, 1<<60+n-1)
	if len(got) != n {
		t.Errorf("%d goroutines, want %d", len(got), n)
	}
	for i, g := range goroutines {
		if want := []stack.State{stack.StateChanReceive, stack.StateSleep}[i%2]; got[g.ID].state != want {
			t.Fatalf("goroutine %d is in state %q, want %q", g.ID, got[g.ID].state, want)
		}
	}
}

// read decodes the trace of a process and returns its goroutines.
func read(t *testing.T, procs int, goroutines []Goroutine, highest uint64) map[uint64]seen {
	t.Helper()
	s, err := exectrace.Decode(NewProgram(receiving, sleeping).AppendTrace(nil, procs, goroutines))
	if err != nil {
		t.Fatal(err)
	}
	if s.Procs != procs || s.HighestID != highest || s.Count() != len(goroutines) || s.Stackless != 0 {
		t.Errorf("%d procs, highest ID %d, %d goroutines, %d of them without a stack", s.Procs, s.HighestID, s.Count(), s.Stackless)
	}
	all := make(map[uint64]seen)
	for _, g := range s.Goroutines {
		of := s.Groups[g.Group]
		all[g.ID] = seen{of.State, of.Blamed.Function, of.Blamed.Line, of.Entry}
	}
	return all
}

// BenchmarkAppendTrace100 builds the trace of a process of 100 goroutines.
func BenchmarkAppendTrace100(b *testing.B) {
	program := NewProgram(receiving, sleeping)
	goroutines := make([]Goroutine, 100)
	for i := range goroutines {
		goroutines[i] = Goroutine{ID: uint64(1000 + i), Stack: i % 2}
	}
	var buffer []byte
	b.ReportAllocs()
	for b.Loop() {
		buffer = program.AppendTrace(buffer[:0], 2, goroutines)
	}
}
