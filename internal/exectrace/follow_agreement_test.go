package exectrace

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	exptrace "golang.org/x/exp/trace"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// eventCounts is the result of reading a trace, to compare two readers.
type eventCounts struct {
	// starts counts births and ends by creator and function.
	starts map[string]int
	// wakes counts wake-ups by the signature that was woken and the waker.
	wakes map[string]int
	// longest is the longest lifetime that ended, in milliseconds.
	longest float64
}

// countWithTraceReader counts with the trace reader.
func countWithTraceReader(t *testing.T, data []byte) eventCounts {
	t.Helper()
	r, err := exptrace.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	o := eventCounts{starts: make(map[string]int), wakes: make(map[string]int)}
	start := make(map[exptrace.GoID]string)
	born := make(map[exptrace.GoID]exptrace.Time)
	waits := make(map[exptrace.GoID]stack.Signature)
	for {
		ev, err := r.ReadEvent()
		if errors.Is(err, io.EOF) {
			return o
		}
		if err != nil {
			t.Fatal(err)
		}
		if ev.Kind() != exptrace.EventStateTransition || ev.StateTransition().Resource.Kind != exptrace.ResourceGoroutine {
			continue
		}
		st := ev.StateTransition()
		id := st.Resource.Goroutine()
		from, to := st.Goroutine()
		switch {
		case from == exptrace.GoNotExist:
			creator := framesOfTrace(ev.Stack())
			if to == exptrace.GoSyscall {
				creator = nil
			}
			start[id], born[id] = formatFrames(creator)+" => "+formatFrames(framesOfTrace(st.Stack)), ev.Time()
			o.starts["born "+start[id]]++
		case to == exptrace.GoNotExist && start[id] != "":
			o.starts["ended "+start[id]]++
			o.longest = max(o.longest, ev.Time().Sub(born[id]).Seconds()*1000)
		case to == exptrace.GoWaiting && from != exptrace.GoWaiting:
			// Each generation repeats the state of a waiting goroutine, without its stack.
			if s, ok := stack.Read(framesOfTrace(st.Stack), stack.Waiting); ok && !isTraceReader(s.Entry) {
				waits[id] = s
			} else {
				delete(waits, id)
			}
		case from == exptrace.GoWaiting && to == exptrace.GoRunnable:
			if s, known := waits[id]; known {
				o.wakes[s.ID.String()+" "+formatFrames(framesOfTrace(ev.Stack()))]++
			}
		}
	}
}

func framesOfTrace(s exptrace.Stack) []stack.Frame {
	var frames []stack.Frame
	for f := range s.Frames() {
		if f.Func != "" {
			frames = append(frames, stack.Frame{Function: stack.Clean(f.Func), File: stack.Clean(f.File), Line: lineNumber(f.Line)})
		}
	}
	return frames
}

func formatFrames(frames []stack.Frame) string {
	var b strings.Builder
	for _, f := range frames {
		fmt.Fprintf(&b, "%s %s:%d < ", f.Function, f.File, f.Line)
	}
	return b.String()
}

// countWithFollower counts with a Follower, requesting every waiting group.
func countWithFollower(t *testing.T, data []byte) eventCounts {
	t.Helper()
	first, err := followAll(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	var all []stack.Signature
	for number := range first.symbols.stacks {
		if s, ok := stack.Read(first.symbols.stackFrames(int32(number)), stack.Waiting); ok {
			all = append(all, s)
		}
	}
	f, err := followAll(data, all)
	if err != nil {
		t.Fatal(err)
	}
	o := eventCounts{starts: make(map[string]int), wakes: make(map[string]int)}
	for _, s := range f.starts.all {
		var creator []stack.Frame
		if s.creator != fromC {
			creator = f.symbols.stackFrames(s.creator)
		}
		key := formatFrames(creator) + " => " + formatFrames(f.symbols.stackFrames(s.created))
		o.starts["born "+key] += s.born
		if s.lifetimes != nil {
			o.starts["ended "+key] += s.lifetimes.Count()
			o.longest = max(o.longest, s.lifetimes.Quantile(1).Seconds()*1000)
		}
	}
	for _, w := range f.wakes.all {
		o.wakes[all[w.point].ID.String()+" "+formatFrames(f.symbols.stackFrames(w.waker))] += w.count
	}
	return o
}

// TestFollowAgreesWithTheTraceReader compares births, ends and wake-ups with those that
// golang.org/x/exp/trace reports.
func TestFollowAgreesWithTheTraceReader(t *testing.T) {
	for name, data := range fixtures(t) {
		t.Run(name, func(t *testing.T) { compareCounts(t, data, 1) })
	}
	for name, data := range namedFixtures(t) {
		t.Run("named/"+name, func(t *testing.T) { compareCounts(t, data, 1) })
	}
	t.Run("loaded", func(t *testing.T) { compareCounts(t, recordLoaded(t, 1<<20), 0.999) })
}

// compareCounts compares both; at least the given share of each count must be the same.
func compareCounts(t *testing.T, data []byte, share float64) {
	t.Helper()
	want, got := countWithTraceReader(t, data), countWithFollower(t, data)
	for _, of := range []struct {
		name      string
		want, got map[string]int
	}{{"starts", want.starts, got.starts}, {"wakes", want.wakes, got.wakes}} {
		total, same := 0, 0
		for key, n := range of.want {
			total += n
			same += min(n, of.got[key])
		}
		excess := -same
		for _, n := range of.got {
			excess += n
		}
		t.Logf("%s: %d of %d the same, %d more", of.name, same, total, excess)
		if float64(same) < share*float64(total) || float64(excess) > (1-share)*float64(total) {
			t.Errorf("(-trace reader +here)\n%s", gocmp.Diff(of.want, of.got))
		}
	}
	if got.longest < want.longest*0.999 || got.longest > want.longest*1.2 {
		t.Errorf("the longest life is %v ms, want %v", got.longest, want.longest)
	}
}

// TestFollowerAgreesWithDecode compares snapshots of the same trace. A Follower may know more,
// from earlier generations.
func TestFollowerAgreesWithDecode(t *testing.T) {
	all := fixtures(t)
	for name, data := range namedFixtures(t) {
		all["named/"+name] = data
	}
	end := startParked(1000)
	all["live"] = recordTrace(t)
	end()
	for name, data := range all {
		t.Run(name, func(t *testing.T) {
			f, err := followAll(data, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			check(t, got)
			want, err := Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			wanted, known := groupByID(want), groupByID(got)
			if strings.HasSuffix(name, "-generations") {
				for id, s := range wanted {
					if s == (stack.Signature{}) {
						wanted[id] = known[id]
					}
				}
			}
			if diff := gocmp.Diff(wanted, known); diff != "" {
				t.Errorf("(-Decode +Snapshot)\n%s", diff)
			}
			if got.HighestID != want.HighestID || got.Procs != want.Procs || got.Stackless > want.Stackless {
				t.Errorf("got %d %d %d, want %d %d %d", got.HighestID, got.Procs, got.Stackless, want.HighestID, want.Procs, want.Stackless)
			}
		})
	}
}

func groupByID(s *stack.Snapshot) map[uint64]stack.Signature {
	groups := make(map[uint64]stack.Signature)
	for _, g := range s.Goroutines {
		if g.Group != stack.NoGroup {
			groups[g.ID] = s.Groups[g.Group].Signature
		} else {
			groups[g.ID] = stack.Signature{}
		}
	}
	return groups
}
