package exectrace

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// unthinned decodes a trace of one generation as Decode does, but without thinning it.
func unthinned(t *testing.T, data []byte) *stack.Snapshot {
	t.Helper()
	v, err := readHeader(data)
	if err != nil {
		t.Fatal(err)
	}
	o, err := replay(data)
	if err != nil {
		t.Fatal(err)
	}
	s, err := snapshot(&thinned{}, o, newGrouping(o.stacks.frames, v))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// byGoroutine returns the signature of each goroutine; the zero Signature means none.
func byGoroutine(s *stack.Snapshot) map[uint64]stack.Signature {
	all := make(map[uint64]stack.Signature)
	for _, g := range s.Goroutines {
		all[g.ID] = stack.Signature{}
		if g.Group != stack.NoGroup {
			all[g.ID] = s.Groups[g.Group].Signature
		}
	}
	return all
}

// Thinning must not change the result.
func TestThinningChangesNothing(t *testing.T) {
	traces := fixtures(t)
	for name := range traces {
		if strings.HasSuffix(name, "-generations") {
			delete(traces, name)
		}
	}
	end := startParked(500)
	traces["parked"] = recordTrace(t)
	stop := busy(100)
	traces["busy"] = recordTrace(t)
	stop()
	end()
	for name, data := range traces {
		t.Run(name, func(t *testing.T) {
			s, err := Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(byGoroutine(unthinned(t, data)), byGoroutine(s)); diff != "" {
				t.Errorf("(-all of it +thinned)\n%s", diff)
			}
		})
	}
}

// busy starts pairs of goroutines that pass a value back and forth, and now and then start
// another goroutine and wait for it.
func busy(pairs int) (stop func()) {
	done := make(chan struct{})
	ended := make(chan struct{})
	for range pairs {
		ball := make(chan int)
		play := func() {
			for {
				select {
				case ball <- 1:
				case <-ball:
				case <-done:
					ended <- struct{}{}
					return
				}
				brief := make(chan struct{})
				go func() { close(brief) }()
				<-brief
			}
		}
		go play()
		go play()
	}
	return func() {
		close(done)
		for range 2 * pairs {
			<-ended
		}
	}
}

// The trace reader must read one goroutine of each stack, not all.
func TestThinningShowsOneOfEachStack(t *testing.T) {
	end := startParked(5000)
	data := recordTrace(t)
	end()
	v, err := readHeader(data)
	if err != nil {
		t.Fatal(err)
	}
	thin, err := prepare(data, v)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(thin.idle); n < 4900 {
		t.Errorf("%d of 5000 left out", n)
	}
	if n := len(thin.samples); n > 60 {
		t.Errorf("%d samples of 20 stacks and the runtime's own", n)
	}
	// The status of a goroutine takes at least ten bytes. The size of the tables depends on
	// what else the process does.
	if gone := len(data) - len(thin.trace); gone < 10*4900 {
		t.Errorf("%d of %d bytes were left out", gone, len(data))
	}
	ids := make([]uint64, 0, len(thin.idle))
	for _, idle := range thin.idle {
		ids = append(ids, idle.ID)
	}
	for _, sample := range thin.samples {
		if !slices.Contains(ids, sample) {
			t.Errorf("sample %d is not among the idle", sample)
		}
	}
}
