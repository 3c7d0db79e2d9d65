package profile

import (
	"bytes"
	"errors"
	"math"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// The runtime writes a sample without a stack for a goroutine that happens to run on
// another thread. It counts.
func TestDecodeCountsGoroutinesWithoutAStack(t *testing.T) {
	for _, body := range []message{after(aSample(3)), with(1, aSample(3).then(aSample(7, 1, 2)))} {
		s, err := Decode(body, plenty)
		if err != nil {
			t.Fatal(err)
		}
		if s.Stackless != 3 || s.Count() != 10 {
			t.Errorf("%d without a stack of %d, want 3 of 10", s.Stackless, s.Count())
		}
	}
}

// The format permits the same profile to be written in many ways.
func TestDecodeReadsEveryWayToWriteAProfile(t *testing.T) {
	parts := small()
	reversed := slices.Clone(parts)
	slices.Reverse(reversed)
	unpacked := message{}.bytes(2, message{}.number(1, 1).number(1, 2).number(2, 7))
	halfPacked := message{}.bytes(2, message{}.number(2, 7).packed(1, 1).number(1, 2))
	labels := message{}.bytes(2, message{}.packed(1, 1, 2).packed(2, 7).
		bytes(3, message{}.number(1, 99).number(2, 100)). // strings that are not there: never looked up
		bytes(3, nil))
	twoStacks := aSample(3, 1, 2).then(aSample(4, 1, 2))
	fixed := message(protowire.AppendFixed64(protowire.AppendTag(parts[0], 16, protowire.Fixed64Type), 1))
	fixed = message(protowire.AppendFixed32(protowire.AppendTag(fixed, 17, protowire.Fixed32Type), 1))
	for _, tc := range []struct {
		name string
		body message
	}{
		{"plain", message{}.then(parts...)},
		{"from the end to the start", message{}.then(reversed...)},
		{"numbers one by one", with(1, unpacked)},
		{"numbers packed and one by one", with(1, halfPacked)},
		{"labels", with(1, labels)},
		{"one stack in two samples", with(1, twoStacks)},
		{"one stack before and after another", with(1, aSample(3, 1, 2).then(aSample(0, 2), aSample(4, 1, 2)))},
		{"unknown fields", with(0, fixed)},
		{"long numbers of fields", with(0, parts[0].number(2000, 1<<40))},
		{"location IDs out of order", message{}.then(parts[0], parts[1], parts[2], parts[4], parts[3]).then(parts[5:]...)},
		{"function IDs out of order", message{}.then(parts[:5]...).then(parts[7], parts[5], parts[6], parts[8])},
		{"large location IDs", message{}.then(parts[0], aSample(7, math.MaxUint64, 5), parts[2],
			aLocation(math.MaxUint64, aLine(1, 10)), aLocation(5, aLine(2, 20), aLine(3, 30))).then(parts[5:]...)},
		{"large function IDs", message{}.then(parts[:3]...).then(
			aLocation(1, aLine(math.MaxUint64, 10)), aLocation(2, aLine(1<<40, 20), aLine(3, 30)),
			aFunction(math.MaxUint64, 3, 6), aFunction(1<<40, 4, 6), aFunction(3, 5, 6), parts[8])},
		{"strings first", message{}.then(parts[8]).then(parts[:8]...)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			// A body of two and a half pieces is audited.
			long := padding(longBody).then(tc.body, padding(longBody*3/2))
			for _, data := range [][]byte{tc.body, compress(t, tc.body), long, compress(t, long)} {
				s, err := Decode(data, plenty)
				if err != nil {
					t.Fatal(err)
				}
				const want = "other            7  main.leaf main.go:20, started with main.root\n"
				if got := describe(s); got != want {
					t.Errorf("got  %swant %s", got, want)
				}
			}
		})
	}
}

// Names that cannot be printed are cleaned as in package exectrace.
func TestDecodeCleansNames(t *testing.T) {
	long := strings.Repeat("x", 2*stack.MaxNameLength)
	dirty := "main.\x1b[31mred\xff"
	s, err := Decode(with(8, someStrings("", "goroutine", "count", "runtime.gopark", dirty, "main."+long, "größe.go", "/app")), plenty)
	if err != nil {
		t.Fatal(err)
	}
	g := s.Groups[0]
	if g.Blamed.Function != stack.Clean(dirty) || g.Entry != stack.Clean("main."+long) || g.Blamed.File != "größe.go" {
		t.Errorf("got %+v", g)
	}
}

// A snapshot must not refer to the data that it was decoded from.
func TestSnapshotOutlivesItsData(t *testing.T) {
	data := message{}.then(small()...)
	s, err := Decode(data, plenty)
	if err != nil {
		t.Fatal(err)
	}
	before := describe(s)
	clear(data)
	// The next profile reuses the decoder of this one.
	if _, err := Decode(with(8, someStrings("", "goroutine", "count", "AAAAAAA.AAAAAA", "AAAA.AAAA", "AAAA.AAAA", "AAAA.AA", "/AAA")), plenty); err != nil {
		t.Fatal(err)
	}
	if got := describe(s); got != before {
		t.Errorf("got %s, before %s", got, before)
	}
}

// TestDecodeReadsTheTime checks that the time is that of the profile, and zero without one.
func TestDecodeReadsTheTime(t *testing.T) {
	began := time.Now()
	s, err := Decode(liveProfile(t, 1), plenty)
	if err != nil {
		t.Fatal(err)
	}
	if s.At.Before(began.Truncate(0)) || s.At.After(time.Now()) {
		t.Errorf("got %v, want a time after %v", s.At, began)
	}
	if s, err := Decode(message{}.then(small()...), plenty); err != nil || !s.At.IsZero() {
		t.Errorf("got %v, %v", s, err)
	}
}

// The first mapping is the binary. The others are shared libraries.
func TestDecodeReadsTheBuild(t *testing.T) {
	for _, test := range []struct {
		name string
		body message
		want string
	}{
		{"none", with(2, aMapping(7)), ""},
		{"no mapping", with(2, nil), ""},
		{"of the binary", with(2, aBuild(7, 6)), "main.go"},
		{"of a library", with(2, aMapping(7).then(aBuild(7, 6))), ""},
		{"of both", with(2, aBuild(7, 6).then(aBuild(7, 3))), "main.go"},
		{"not fit to be shown", message{}.then(small()[:2]...).then(aBuild(7, 8)).then(small()[3:8]...).
			then(someStrings("", "goroutine", "count", "runtime.gopark", "main.leaf", "main.root", "main.go", "/app", "\x1b\xff")), stack.Clean("\x1b\xff")},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := Decode(test.body, plenty)
			if err != nil {
				t.Fatal(err)
			}
			if s.Build != test.want {
				t.Errorf("got %q, want %q", s.Build, test.want)
			}
		})
	}
}

// A profile without goroutines is valid, though no process has one.
func TestDecodeOfNoSample(t *testing.T) {
	s, err := Decode(with(1, nil), plenty)
	if err != nil || len(s.Groups) != 0 {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestMaxSizeIsOfTheDecompressedBody(t *testing.T) {
	short := message{}.then(small()...)
	for name, body := range map[string]message{"short": short, "long": short.then(padding(2 * longBody))} {
		for form, data := range map[string][]byte{"plain": body, "gzip": compress(t, body)} {
			if _, err := Decode(data, len(body)); err != nil {
				t.Errorf("%s, %s: %v at a limit of its size", name, form, err)
			}
			if _, err := Decode(data, len(body)-1); !errors.Is(err, ErrTooLarge) {
				t.Errorf("%s, %s: got %v at a limit of a byte less", name, form, err)
			}
		}
	}
}

func TestNothingFitsIntoNothing(t *testing.T) {
	body := message{}.then(small()...)
	for _, maxSize := range []int{0, -1, math.MinInt} {
		for _, data := range [][]byte{body, compress(t, body)} {
			if _, err := Decode(data, maxSize); !errors.Is(err, ErrTooLarge) {
				t.Errorf("got %v at a limit of %d", err, maxSize)
			}
		}
	}
}

// TestOwnProcess decodes a profile of this process and compares it with runtime.NumGoroutine.
func TestOwnProcess(t *testing.T) {
	stop := make(chan struct{})
	done := make(chan struct{})
	const waiting = 20
	for range waiting {
		go func() {
			<-stop
			done <- struct{}{}
		}()
	}
	defer func() {
		close(stop)
		for range waiting {
			<-done
		}
	}()
	// The runtime counts the goroutine that runs cleanups while it does so, and Decode
	// leaves it out, so more than one attempt may be necessary.
	var got, want int
	for range 20 {
		var data []byte
		data, want = profileOfThis(t)
		s, err := Decode(data, plenty)
		if err != nil {
			t.Fatal(err)
		}
		if got = s.Count(); got == want {
			return
		}
	}
	t.Errorf("%d goroutines, the runtime has %d", got, want)
}

// profileOfThis returns a goroutine profile of this process and its number of goroutines.
// It tries again if the number changes meanwhile, because a goroutine of an earlier test
// ends.
func profileOfThis(t *testing.T) ([]byte, int) {
	t.Helper()
	for {
		var b bytes.Buffer
		before := runtime.NumGoroutine()
		if err := pprof.Lookup("goroutine").WriteTo(&b, 0); err != nil {
			t.Fatal(err)
		}
		if runtime.NumGoroutine() == before {
			return b.Bytes(), before
		}
	}
}
