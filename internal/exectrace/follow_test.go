package exectrace

import (
	"bytes"
	"errors"
	"io"
	"runtime/trace"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// recordWhile records a trace while do runs, of several generations if it takes longer than a
// second.
func recordWhile(t *testing.T, do func()) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := trace.Start(&b); err != nil {
		t.Fatal(err)
	}
	func() {
		defer trace.Stop() // also if do ends the test
		do()
	}()
	return b.Bytes()
}

// leak waits for an answer, which never comes unless the goroutine is healthy.
func leak(answer chan int, release chan struct{}) {
	select {
	case <-answer:
	case <-release:
	}
}

func isLeak(g stack.Group) bool { return strings.HasSuffix(g.Entry, "exectrace.leak") }

// checkout starts a goroutine as a service would, and returns once it has ended or waits along
// with waiting others. A woken goroutine looks as if it waited until it runs.
func checkout(t *testing.T, release chan struct{}, healthy bool, waiting int) {
	t.Helper()
	answer := make(chan int, 1)
	go leak(answer, release)
	if !waitUntilParked(t, waiting+1, isLeak) {
		t.Fatal("it does not wait")
	}
	if !healthy {
		return
	}
	reply(answer)
	if !waitUntilParked(t, waiting, isLeak) {
		t.Fatal("it does not end")
	}
}

//go:noinline
func reply(answer chan int) { answer <- 1 }

func TestOriginsOfALeak(t *testing.T) {
	release := make(chan struct{})
	checkout(t, release, false, 0)
	leaked := 1
	var youngest time.Duration // at the least
	data := recordWhile(t, func() {
		var born time.Time
		for i := range 50 {
			healthy := i%10 != 0
			checkout(t, release, healthy, leaked)
			if !healthy {
				leaked, born = leaked+1, time.Now()
			}
		}
		youngest = time.Since(born)
	})
	s, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	close(release)
	at := slices.IndexFunc(s.Groups, isLeak)
	if at < 0 {
		t.Fatal("no goroutine leaks")
	}
	f, err := followAll(data, []stack.Signature{s.Groups[at].Signature})
	if err != nil {
		t.Fatal(err)
	}
	o := f.Origins(nil)
	if len(o.Starts) != 1 || len(o.Groups) != 1 {
		t.Fatalf("%+v", o)
	}
	born, ended, alive := 0, 0, 0
	for _, start := range o.Starts {
		if !strings.HasSuffix(start.Creator[0].Function, "exectrace.checkout") || start.Entry != s.Groups[at].Entry || start.Launch != ByGo {
			t.Errorf("%+v", start)
		}
		born, ended, alive = born+start.Born, ended+start.Ended.Count(), alive+len(start.Alive)
		for _, a := range start.Alive {
			if a.Group != 0 || a.Age < youngest {
				t.Errorf("%+v", a)
			}
		}
	}
	if born != 50 || ended != 45 || alive != 5 {
		t.Errorf("%d born, %d ended, %d alive", born, ended, alive)
	}
	group := o.Groups[0]
	if group.Count != 6 || len(group.Stack) == 0 || group.Again != 0 || len(group.Wakes) == 0 {
		t.Fatalf("%+v", group)
	}
	waker := group.Wakes[0]
	if waker.Count != waker.Last || waker.Last != 45 || !slices.ContainsFunc(waker.Waker, func(f stack.Frame) bool {
		return strings.HasSuffix(f.Function, "exectrace.reply")
	}) {
		t.Errorf("%+v", waker)
	}
}

// TestWrappersAreSeenThrough executes a go statement twice: one goroutine waits and shows its
// entry, the other never does.
func TestWrappersAreSeenThrough(t *testing.T) {
	release := make(chan struct{})
	data := recordWhile(t, func() {
		check := make(chan int, 1)
		check <- 1
		startLeak(check, release) // it has its answer already
		startLeak(nil, release)
		if !waitUntilParked(t, 1, isLeak) {
			t.Error("not one waits")
		}
	})
	close(release)
	f, err := followAll(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	const entry = "github.com/otel-goroutine/otel-goroutine/internal/exectrace.leak"
	starts := f.Origins([]string{entry}).Starts
	for _, s := range starts {
		if s.Entry != entry {
			t.Errorf("%+v", s)
		}
	}
	if len(starts) != 2 || starts[0].Born+starts[1].Born != 2 || starts[0].Ended.Count()+starts[1].Ended.Count() != 1 {
		t.Errorf("%+v", starts)
	}
}

//go:noinline
func startLeak(answer chan int, release chan struct{}) { go leak(answer, release) }

func TestTimersHaveNoCreator(t *testing.T) {
	release, done := make(chan struct{}), make(chan struct{})
	data := recordWhile(t, func() {
		time.AfterFunc(time.Millisecond, func() { close(done); <-release })
		<-done
		if !waitUntilParked(t, 1, func(g stack.Group) bool {
			return strings.Contains(g.Entry, "TestTimersHaveNoCreator.func") && g.State == stack.StateChanReceive
		}) {
			t.Error("the timer's goroutine does not wait")
		}
	})
	close(release)
	f, err := followAll(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	entries := f.entriesOfStarts()
	found := false
	for _, start := range f.Origins(entries).Starts {
		if strings.Contains(start.Entry, "TestTimersHaveNoCreator") {
			found = true
			if start.Launch != ByTimer || start.Creator != nil {
				t.Errorf("%+v", start)
			}
		}
	}
	if !found {
		t.Errorf("not among %v", entries)
	}
}

func TestFollowKeepsWhatWasReadBeforeACut(t *testing.T) {
	for name, data := range fixtures(t) {
		if !strings.HasSuffix(name, "-generations") {
			continue
		}
		whole, err := followAll(data, nil)
		if err != nil {
			t.Fatal(err)
		}
		cut, err := followAll(data[:len(data)-10], nil)
		if !errors.Is(err, ErrMalformed) || cut.generationsRead != whole.generationsRead-1 || cut.generationsRead == 0 {
			t.Errorf("%s: %d of %d generations, %v", name, cut.generationsRead, whole.generationsRead, err)
		}
		if _, err := cut.Snapshot(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFollowWaitsForNoMoreThanAGeneration reads a trace whose next generation has not been
// written yet. Only since Go 1.26 does a mark end a generation.
func TestFollowWaitsForNoMoreThanAGeneration(t *testing.T) {
	data := fixtures(t)["go1.26-generations"]
	end := headerLength
	for b := (batch{}); b.kind != batchEndOfGeneration; {
		var err error
		if b, end, err = readBatch(data, end, go126); err != nil {
			t.Fatal(err)
		}
	}
	errNotYet := errors.New("not written yet")
	f, err := Follow(io.MultiReader(bytes.NewReader(data[:end]), iotest.ErrReader(errNotYet)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Next(); err != nil {
		t.Errorf("the first generation: %v", err)
	}
	if err := f.Next(); !errors.Is(err, errNotYet) {
		t.Errorf("the second: %v", err)
	}
}

func TestLifetimes(t *testing.T) {
	var l Lifetimes
	if l.Quantile(0.99) != 0 || l.Count() != 0 {
		t.Error("nobody lived")
	}
	for _, d := range []time.Duration{0, 3 * time.Millisecond, 10 * time.Millisecond, time.Hour} {
		l.Add(d)
	}
	for share, want := range map[float64]time.Duration{0.25: time.Microsecond, 0.5: 3 * time.Millisecond, 0.75: 10 * time.Millisecond, 1: 67 * time.Second} {
		if got := l.Quantile(share); got < want || float64(got) > 1.2*float64(want) {
			t.Errorf("quantile %v: %v, want %v", share, got, want)
		}
	}
	twice := l
	twice.Merge(&l)
	if twice.Count() != 2*l.Count() || twice.Quantile(0.5) != l.Quantile(0.5) {
		t.Errorf("%d", twice.Count())
	}
}
