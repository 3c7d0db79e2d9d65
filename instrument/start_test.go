package instrument

import (
	"context"
	"path/filepath"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"strings"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

func TestTellsWhichLineHoldsHowMany(t *testing.T) {
	r := begin(t)
	stuck(t, 30)
	c := r.until(t, "30 aged goroutines", func(c collected) bool {
		return c.sum(telemetry.StackAgedCount, telemetry.AttrFunction, here("waitHere")) == 30
	})
	for _, p := range c[telemetry.StackCount] {
		if p.attributes[telemetry.AttrFunction] != here("waitHere") {
			continue
		}
		line, err := strconv.Atoi(p.attributes[telemetry.AttrLine])
		if err != nil || line == 0 || p.value != 30 ||
			p.attributes[telemetry.AttrState] != "chan_receive" ||
			filepath.Base(p.attributes[telemetry.AttrFile]) != "rig_test.go" ||
			p.attributes[telemetry.AttrEntry] != here("waitHere") ||
			len(p.attributes[telemetry.AttrSignature]) != 16 {
			t.Errorf("%v: %v", p.attributes, p.value)
		}
	}
	if n := c.sum(telemetry.EntryAgedCount, telemetry.AttrEntry, here("waitHere")); n != 30 {
		t.Errorf("%v aged of the entry", n)
	}
	if stacks, entries := c.sum(telemetry.StackCount), c.sum(telemetry.EntryCount); stacks != entries || stacks < 31 {
		t.Errorf("%v by signature, %v by entry", stacks, entries)
	}
}

func TestAgedGoroutinesThatLeaveAreExits(t *testing.T) {
	r := begin(t)
	end := stuck(t, 30)
	r.until(t, "30 aged goroutines", func(c collected) bool {
		return c.sum(telemetry.StackAgedCount, telemetry.AttrFunction, here("waitHere")) == 30
	})
	end()
	c := r.until(t, "30 exits", func(c collected) bool {
		return c.sum(telemetry.StackAgedExits, telemetry.AttrFunction, here("waitHere")) == 30
	})
	if n := c.sum(telemetry.EntryAgedExits, telemetry.AttrEntry, here("waitHere")); n != 30 {
		t.Errorf("%v exits of the entry", n)
	}
}

func TestBeyondTheLimitIsSummedUp(t *testing.T) {
	r := begin(t, WithMaxSignatures(1))
	stuck(t, 30)
	c := r.until(t, "the largest group", func(c collected) bool {
		return c.sum(telemetry.StackCount, telemetry.AttrFunction, here("waitHere")) == 30
	})
	if len(c[telemetry.StackCount]) != 2 || c.sum(telemetry.StackCount, telemetry.AttrSignature, telemetry.SignatureOther) < 1 {
		t.Errorf("%v", c[telemetry.StackCount])
	}
}

func TestRuntimeSchedulerAndProcess(t *testing.T) {
	r := begin(t, WithCapture(CaptureOff))
	c := r.until(t, "CPU time", func(c collected) bool { return c.sum(telemetry.ProcessCPUTime, telemetry.AttrCPUMode, "user") > 0 })
	for _, name := range []string{telemetry.GoroutineCount, "go.memory.used", telemetry.GoroutineCreations} {
		if c.sum(name) <= 0 && !isAbsentHere(name) {
			t.Errorf("%s: %v", name, c[name])
		}
	}
	if n := c.sum(telemetry.StateCount, telemetry.AttrSchedulerState, "running"); n < 1 && !isAbsentHere(telemetry.StateCount) {
		t.Errorf("nobody runs: %v", c[telemetry.StateCount])
	}
	if len(c[telemetry.StateCount]) != 4 && !isAbsentHere(telemetry.StateCount) {
		t.Errorf("states: %v", c[telemetry.StateCount])
	}
	if len(c[telemetry.ProcessCPUTime]) != 2 {
		t.Errorf("CPU time: %v", c[telemetry.ProcessCPUTime])
	}
}

func TestCaptureOffTakesNoStacks(t *testing.T) {
	r := begin(t, WithCapture(CaptureOff))
	n := 0
	for c := range r.collections(t) {
		for _, name := range []string{telemetry.StackCount, telemetry.EntryCount, telemetry.SampleDuration, telemetry.SampleInterval} {
			if len(c[name]) != 0 {
				t.Fatalf("%s: %v", name, c[name])
			}
		}
		if n++; n == 20 {
			break
		}
	}
}

// TestOnlyGoroutinesByDefault checks that nothing is reported that a service may report
// itself, by contrib's runtime and host.
func TestOnlyGoroutinesByDefault(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	stop, err := Start(WithMeterProvider(provider))
	if err != nil {
		t.Fatal(err)
	}
	c := (&rig{reader: reader, stop: stop}).until(t, "a sample", sampledBy("trace"))
	for name := range c {
		if !strings.HasPrefix(name, "goroutine.") {
			t.Errorf("%s is there", name)
		}
	}
	if err := stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// sampledBy reports whether the latest sample was of this source.
func sampledBy(source string) func(collected) bool {
	return func(c collected) bool {
		complete := len(c[telemetry.StackAgedCount]) > 0
		return len(c[telemetry.StackCount]) > 0 && complete == (source == "trace") &&
			len(c[telemetry.SampleDuration]) == 1 && c.sum(telemetry.SampleDuration, telemetry.AttrSampleSource, source) > 0
	}
}

func TestProfileTellsCountsOnly(t *testing.T) {
	r := begin(t, WithCapture(CaptureProfile))
	stuck(t, 30)
	c := r.until(t, "30 goroutines", func(c collected) bool {
		return sampledBy("profile")(c) && c.sum(telemetry.StackCount, telemetry.AttrFunction, here("waitHere")) == 30
	})
	if len(c[telemetry.EntryAgedCount]) != 0 || len(c[telemetry.StackAgedExits]) != 0 {
		t.Errorf("%v", c)
	}
}

func TestProfileWhileTheServiceTraces(t *testing.T) {
	r := begin(t)
	r.until(t, "a trace", sampledBy("trace"))
	var b strings.Builder
	traceOurselves(t, &b)
	r.until(t, "a profile", sampledBy("profile"))
	trace.Stop()
	if b.Len() == 0 {
		t.Error("the service's own trace is empty")
	}
	r.until(t, "a trace again", sampledBy("trace"))
}

// traceOurselves begins to trace, as soon as no sample is in the way.
func traceOurselves(t *testing.T, b *strings.Builder) {
	t.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for range 1000 {
		if trace.Start(b) == nil {
			return
		}
		<-again.C // a sample is open for a millisecond or less, and tells nobody
	}
	t.Fatal("tracing is always on")
}

func TestTraceOnlyDoesWithoutWhileTheServiceTraces(t *testing.T) {
	h := handle(t)
	r := begin(t, WithCapture(CaptureTrace))
	r.until(t, "a trace", sampledBy("trace"))
	traceOurselves(t, new(strings.Builder))
	// On a busy machine a sample may be gone for being too old, so wait for the reason too.
	r.until(t, "no sample", func(c collected) bool { return len(c[telemetry.StackCount]) == 0 && len(h.all()) > 0 })
	trace.Stop()
	r.until(t, "a trace again", sampledBy("trace"))
	if all := h.all(); len(all) != 1 || !strings.Contains(all[0], "execution trace") {
		t.Errorf("told: %q", all)
	}
}

func TestOnlyCountsAboveTheLimit(t *testing.T) {
	h := handle(t)
	r := begin(t, WithMaxGoroutines(20))
	end := stuck(t, 30)
	r.until(t, "no stacks", func(c collected) bool {
		return len(c[telemetry.StackCount]) == 0 && c.sum(telemetry.GoroutineCount) > 30 && len(h.all()) > 0
	})
	end()
	r.until(t, "stacks again", func(c collected) bool { return len(c[telemetry.StackCount]) > 0 })
	if all := h.all(); len(all) != 1 || all[0] != "instrument: no stacks are taken of more than 20 goroutines" {
		t.Errorf("told: %q", all)
	}
}

func TestLabelsReachNoMetric(t *testing.T) {
	const secret = "a-secret-of-a-customer"
	for _, capture := range []Capture{CaptureTrace, CaptureProfile} {
		t.Run(string(capture), func(t *testing.T) {
			r := begin(t, WithCapture(capture))
			pprof.Do(t.Context(), pprof.Labels("tenant", secret), func(context.Context) { stuck(t, 30) })
			trace.Log(t.Context(), secret, secret)
			c := r.until(t, "the labelled goroutines", func(c collected) bool {
				return c.sum(telemetry.StackCount, telemetry.AttrFunction, here("waitHere")) == 30
			})
			for name, points := range c {
				for _, p := range points {
					for key, value := range p.attributes {
						if strings.Contains(key+value, secret) || key == "tenant" {
							t.Errorf("%s has %s=%s", name, key, value)
						}
					}
				}
			}
		})
	}
}

func TestKillSwitch(t *testing.T) {
	t.Setenv("OTEL_GO_GOROUTINE_DISABLED", "true")
	r := begin(t)
	if c := r.collect(t); len(c) != 0 {
		t.Errorf("%v", c)
	}
}
