package exectrace

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// mostMemory is the most memory that any trace may take, in bytes.
const mostMemory = 32 << 20

// waitsInMain is the group of goroutines that wait at stack 1 of traceBuilder.tables.
var waitsInMain, _ = stack.Read([]stack.Frame{
	{Function: "runtime.gopark", File: "main.go", Line: 5},
	{Function: "main.wait", File: "main.go", Line: 7},
	{Function: "main.entry", File: "main.go", Line: 8},
}, stack.Waiting)

// TestFollowLimits reads traces that exceed one limit each.
func TestFollowLimits(t *testing.T) {
	create := func(i int) []byte { return varints(evGoCreate, 0, uint64(i+2), 3, 1) }
	started := func() traceBuilder { return newTrace(go123).batch(1, runningThread()) }
	deep := func(from, n int) traceBuilder {
		return started().repeated(n, 1, func(i int) []byte {
			return varints(evGoStop, 0, 0, uint64(from+i), evGoStart, 0, 1, uint64(i+1))
		})
	}
	for _, tc := range []struct {
		name, says string
		trace      func() traceBuilder
	}{
		{"ten million events", "bytes", func() traceBuilder {
			return newTrace(go123).repeated(10_000_000, 1, func(int) []byte { return []byte{evHeapGoal, 0, 0} })
		}},
		{"events", "events", func() traceBuilder {
			return newTrace(go123).repeated(maxFollowedEvents+1, 1, func(int) []byte { return []byte{evProcStop, 0} })
		}},
		{"goroutines alive at a time", "goroutines", func() traceBuilder { return started().repeated(maxLives, 1, create) }},
		{"batches", "batches", func() traceBuilder {
			m := newTrace(go123)
			for i := range maxBatches + 1 {
				m = m.batch(uint64(i), []byte{evProcStop, 0})
			}
			return m
		}},
		{"threads", "threads", func() traceBuilder {
			m := newTrace(go123)
			for i := range maxFollowedThreads + 1 {
				m = m.batch(uint64(i), []byte{evProcStop, 0})
			}
			return m
		}},
		{"frames in tables", "frames", func() traceBuilder {
			return started().table(evStacks, maxFrames/100, func(i int) []byte {
				return append(varints(evStack, uint64(i+9), 100), bytes.Repeat([]byte{1}, 400)...)
			})
		}},
		{"strings in tables", "strings", func() traceBuilder {
			return started().table(evStrings, maxStrings+1, func(i int) []byte { return varints(evString, uint64(i+9), 0) })
		}},
		{"frames that are shown", "frames", func() traceBuilder {
			return deep(9, maxKeptFrames/100+1).table(evStacks, maxKeptFrames/100+1, func(i int) []byte {
				s := varints(evStack, uint64(i+9), 100)
				for line := range 100 {
					s = append(s, varints(0, 1, 9, uint64(100*i+line))...)
				}
				return s
			})
		}},
		{"stacks that are shown", "frames", func() traceBuilder {
			return deep(9, maxKeptStacks+1).table(evStacks, maxKeptStacks+1, func(i int) []byte {
				return varints(evStack, uint64(i+9), 2, 0, 1, 9, uint64(i/250), 0, 1, 9, uint64(i%250))
			})
		}},
		{"long names that are shown", "bytes", func() traceBuilder {
			m := deep(9, 4000).table(evStacks, 4000, func(i int) []byte {
				return varints(evStack, uint64(i+9), 1, 0, uint64(i+100), 9, 1)
			})
			return m.table(evStrings, 4000, func(i int) []byte {
				return fmt.Appendf(varints(evString, uint64(i+100), 1000), "%01000d", i)
			})
		}},
		{"starts", "places", func() traceBuilder {
			return started().repeated(2*maxStarts+1, 1, func(i int) []byte {
				return varints(evGoCreate, 0, 7, uint64(i+9), 1)
			}).table(evStacks, 2*maxStarts+1, func(i int) []byte {
				return varints(evStack, uint64(i+9), 1, 0, 1, 9, uint64(i))
			})
		}},
		{"wakers", "wake", func() traceBuilder {
			return started().repeated(maxWakeUps+1, 1, func(i int) []byte {
				return varints(evGoCreate, 0, 7, 3, 1, evGoStart, 0, 7, 1, evGoBlock, 0, 0, 1, evGoUnblock, 0, 7, 1, uint64(i+9))
			}).table(evStacks, maxWakeUps+1, func(i int) []byte {
				return varints(evStack, uint64(i+9), 1, 0, 1, 9, uint64(i))
			})
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			data := tc.trace().tables()
			var err error
			n := allocated(func() { _, err = followAll(data, []stack.Signature{waitsInMain}) })
			if !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %v", err)
			}
			checkError(t, err)
			if n > mostMemory {
				t.Errorf("%d MiB allocated for %d KiB", n>>20, len(data)>>10)
			}
			t.Logf("%d KiB allocated for %d KiB", n>>10, len(data)>>10)
		})
	}
}

// TestMuchOfEverything reads a trace that is near several limits at once, and checks how much
// memory the Follower retains.
func TestMuchOfEverything(t *testing.T) {
	const stacks = maxKeptFrames/100 - 1
	filler := bytes.Repeat([]byte{evGCAssistEnd, 0}, maxBatchSize/2-100)
	m := newTrace(go123).batch(1, runningThread()).repeated(maxLives-2, 1, func(i int) []byte {
		return varints(evGoCreate, 0, uint64(i+2), uint64(i%stacks+9), uint64(i%stacks+9))
	}).table(evStacks, stacks, func(i int) []byte {
		s := varints(evStack, uint64(i+9), 100)
		for line := range 100 {
			s = append(s, varints(0, 1, 9, uint64(100*i+line))...)
		}
		return s
	})
	for len(m) < maxActiveBytes-2*maxBatchSize {
		m = m.batch(2, filler)
	}
	m = m.tables()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f, err := followAll(m, []stack.Signature{waitsInMain})
	if err != nil {
		t.Fatal(err)
	}
	o := f.Origins([]string{"runtime.gopark"})
	checkOrigins(t, o)
	runtime.GC()
	runtime.ReadMemStats(&after)
	kept := int(after.HeapAlloc) - int(before.HeapAlloc)
	if t.Logf("%d KiB kept of %d", kept>>10, len(m)>>10); kept+len(m) > mostMemory {
		t.Errorf("%d MiB", (kept+len(m))>>20)
	}
	if len(o.Starts) != stacks {
		t.Errorf("%d starts", len(o.Starts))
	}
	runtime.KeepAlive(f)
}

// TestOriginsLimitsFrames reads a trace with more and deeper creator stacks than Origins may
// return.
func TestOriginsLimitsFrames(t *testing.T) {
	const stacks, depth = 2500, 100
	data := newTrace(go123).batch(1, runningThread()).repeated(2*stacks, 1, func(i int) []byte {
		return varints(evGoCreate, 0, uint64(i+2), 3, uint64(min(i, stacks-1)+9))
	}).table(evStacks, stacks, func(i int) []byte {
		s := varints(evStack, uint64(i+9), depth)
		for line := range depth {
			s = append(s, varints(0, 1, 9, uint64(1+line+line/99*i))...)
		}
		return s
	}).tables()
	f, err := followAll(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := f.Origins([]string{"main.entry"})
	checkOrigins(t, o)
	if n := len(o.Starts); len(f.starts.all) != stacks || n != maxOriginFrames/depth || o.Starts[0].Born != stacks+1 {
		t.Errorf("%d of %d starts", n, len(f.starts.all))
	}
}

// TestAMillionBirths follows goroutines that start and end, over several generations. Memory must
// depend on how many are alive at a time.
func TestAMillionBirths(t *testing.T) {
	const births, perGeneration = 1_000_000, 200_000
	m := newTrace(go126)
	for g := range uint64(births / perGeneration) {
		var data []byte
		if g == 0 {
			m = m.batchOf(1, 1, runningThread())
		}
		for i := range uint64(perGeneration) {
			id := 2 + g*perGeneration + i
			data = append(data, varints(evGoCreate, 1, id, 3, 1, evGoStop, 0, 0, 1, evGoStart, 0, id, 1, evGoDestroy, 1, evGoStart, 0, 1, i+1)...)
			if len(data) > maxBatchSize-64 || i == perGeneration-1 {
				m = m.batchOf(g+1, 1, data)
				data = data[:0]
			}
		}
		m = append(m.tablesOf(g+1, go126), evEndOfGeneration)
	}
	var f *Follower
	var err error
	n := allocated(func() { f, err = followAll(m, nil) })
	if err != nil {
		t.Fatal(err)
	}
	if s := f.starts.all; len(s) != 1 || s[0].born != births || s[0].lifetimes.Count() != births || len(f.live.index) != 1 {
		t.Errorf("%d starts, %d alive", len(s), len(f.live.index))
	}
	// The batches of a generation are buffered; the rest must not grow with the trace.
	if beside := int(n) - len(m)*9/8; beside > 2<<20 {
		t.Errorf("%d KiB allocated beside %d KiB of trace", beside>>10, len(m)>>10)
	}
}

func TestACreatorInC(t *testing.T) {
	data := newTrace(go123).batch(1, runningThread()).
		batch(2, varints(evGoCreateSyscall, 0, 7, evGoSyscallEnd, 0, evGoBlock, 0, 0, 1)).tables()
	f, err := followAll(data, []stack.Signature{waitsInMain})
	if err != nil {
		t.Fatal(err)
	}
	o := f.Origins(nil)
	if len(o.Starts) != 1 || o.Starts[0].Launch != ByC || o.Starts[0].Creator != nil || o.Starts[0].Entry != "main.entry" {
		t.Errorf("%+v", o.Starts)
	}
	if o.Groups[0].Count != 1 || len(o.Groups[0].Stack) != 3 {
		t.Errorf("%+v", o.Groups)
	}
}

// TestMissingReferences reads events that refer to missing stacks, strings and threads.
func TestMissingReferences(t *testing.T) {
	const nowhere = 1 << 60
	data := newTrace(go123).batch(1, runningThread()).
		batch(1, varints(evGoCreate, 0, 7, nowhere, nowhere, evGoCreate, 0, 8, 9, 9, evGoBlock, 0, nowhere, nowhere)).
		batch(2, varints(evGoStatus, 0, 9, nowhere, 3, evGoDestroy, 0, evGoSwitch, 0, 7, 1, evGoUnblock, 0, 7, 1, nowhere)).
		batch(0, varints(evStacks, evStack, 9, 2, 0, nowhere, nowhere, nowhere, 0, 1, 1, 1)).tables()
	f, err := followAll(data, []stack.Signature{waitsInMain})
	if err != nil {
		t.Fatal(err)
	}
	checkOrigins(t, f.Origins([]string{"runtime.gopark"}))
}

func TestNamesWithMarkupAndNewlines(t *testing.T) {
	for _, data := range hostile() {
		f, err := followAll(data, nil)
		if err != nil {
			checkError(t, err)
			continue
		}
		checkOrigins(t, f.Origins(nil))
	}
	data := newTrace(go123).batch(1, runningThread()).batch(1, varints(evGoCreate, 0, 7, 3, 2)).
		batch(0, varints(evStacks, evStack, 1, 1, 0, 1, 2, 1, evStack, 2, 1, 0, 2, 1, 2, evStack, 3, 1, 0, 3, 2, 3)).
		batch(0, varints(evFrequency, 1)).
		batch(0, stringTable("a\nb\x1b[31m", "<img src=x onerror=alert(1)>", "main.entry"))
	f, err := followAll(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := f.Origins([]string{"main.entry"})
	checkOrigins(t, o)
	if len(o.Starts) != 1 || o.Starts[0].Creator[0] != (stack.Frame{Function: "<img src=x onerror=alert(1)>", File: "a\uFFFDb\uFFFD[31m", Line: 2}) {
		t.Errorf("%+v", o.Starts)
	}
}

// checkOrigins checks the invariants of Origins.
func checkOrigins(t *testing.T, o *Origins) {
	t.Helper()
	if o.Traced < 0 {
		t.Errorf("traced for %v", o.Traced)
	}
	stacks := [][]stack.Frame{}
	for _, s := range o.Starts {
		if s.Born < s.Ended.Count()+len(s.Alive) && s.Launch != ByC {
			t.Errorf("%d born, %d ended, %d alive", s.Born, s.Ended.Count(), len(s.Alive))
		}
		for _, a := range s.Alive {
			if a.Age < 0 || a.Group >= len(o.Groups) {
				t.Errorf("%+v", a)
			}
		}
		stacks = append(append(stacks, s.Creator), s.Ancestors...)
	}
	for _, g := range o.Groups {
		for _, w := range g.Wakes {
			if w.Last > w.Count || w.Count == 0 {
				t.Errorf("%+v", w)
			}
			stacks = append(stacks, w.Waker)
		}
		stacks = append(stacks, g.Stack)
	}
	for _, f := range slices.Concat(stacks...) {
		if f.Function != stack.Clean(f.Function) || f.File != stack.Clean(f.File) || f.Line < 0 {
			t.Errorf("%+v", f)
		}
	}
}

// FuzzFollow requires that the origins and the snapshot are consistent for any input, and that
// errors are of a known kind.
func FuzzFollow(f *testing.F) {
	for _, data := range fixtures(f) {
		f.Add(data)
		f.Add(data[:len(data)/2])
		f.Add(backwards(f, data))
	}
	for _, data := range hostile() {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		follower, err := Follow(bytes.NewReader(data), []stack.Signature{waitsInMain})
		if err != nil {
			checkError(t, err)
			return
		}
		for err == nil {
			err = follower.Next()
		}
		if !errors.Is(err, io.EOF) {
			checkError(t, err)
		}
		checkOrigins(t, follower.Origins([]string{"main.main", "main.entry"}))
		if s, err := follower.Snapshot(); err == nil {
			check(t, s)
		} else {
			checkError(t, err)
		}
	})
}
