package instrument

import (
	"context"
	"runtime"
	"runtime/trace"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/scout"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// TestOriginsOfLeaks leaks in three ways among healthy siblings, and is told what starts the
// goroutines and what wakes the siblings.
func TestOriginsOfLeaks(t *testing.T) {
	openShop(t)
	l := new(told)
	r := begin(t, tracing(WithOriginHandler(l.take))...)
	asks, waits, reminds := here("(*shop).askPrice"), here("(*shop).waitForReply"), here("(*shop).remind.func1")
	leaked := func(entry string, more ...string) []string {
		return append([]string{telemetry.AttrEntry, entry, telemetry.AttrOriginCaught, "leaked_birth"}, more...)
	}
	creator := func(entry, function string) []string {
		return leaked(entry, telemetry.AttrCreatorType, "go", telemetry.AttrCreatorFunction, here(function), telemetry.AttrCreatorOwnFunction, here(function))
	}
	waker := func(entry, function string) []string {
		return []string{telemetry.AttrEntry, entry, telemetry.AttrWakerFunction, here(function)}
	}
	c := r.until(t, "the origins of all", func(c collected) bool {
		of := l.latest(waits)
		return c.sum(telemetry.OriginCreations, creator(asks, "(*shop).quote")...) > 0 &&
			c.sum(telemetry.OriginCreations, creator(waits, "(*shop).checkOut")...) > 0 &&
			c.sum(telemetry.OriginCreations, leaked(reminds, telemetry.AttrCreatorType, "timer")...) > 0 &&
			c.sum(telemetry.OriginWakeups, waker(waits, "sendReply")...) > 0 &&
			c.sum(telemetry.OriginWakeups, waker(asks, "takePrice")...) > 0 &&
			// The handler is called after metrics have changed.
			strings.Contains(of.attribute(telemetry.AttrStackTrace), "woken by")
	})
	for _, p := range c[telemetry.OriginCreations] {
		if _, known := p.attributes[telemetry.AttrCreatorFunction]; known && p.attributes[telemetry.AttrEntry] == reminds {
			t.Errorf("a timer's goroutine has a creator: %v", p.attributes)
		}
	}
	for _, entry := range []string{asks, waits, reminds} {
		if seconds := c.sum(telemetry.OriginTraced, telemetry.AttrEntry, entry); seconds < 0.1 {
			t.Errorf("%s: traced for %v s", entry, seconds)
		}
		if n := c.sum(telemetry.OriginLifetime, telemetry.AttrEntry, entry); n == 0 {
			t.Errorf("%s: no lifetimes", entry)
		}
		o := l.latest(entry)
		if o.Time.IsZero() || !strings.Contains(o.Text, " that leak are started ") || o.attribute(telemetry.AttrState) == "" {
			t.Errorf("%s: told %+v", entry, o)
		}
	}
	o := l.latest(waits)
	for _, frame := range []string{"created by", "(*shop).checkOut(...)\n", "(*shop).serve(...)\n", "woken by", "sendReply(...)\n"} {
		if text := o.attribute(telemetry.AttrStackTrace); !strings.Contains(text, frame) {
			t.Errorf("no %q in\n%s", frame, text)
		}
	}
}

// TestOwnGoroutinesAreNotTold compares the samples that are the end of a trace with those that
// are not: nothing is there that exists because of the trace.
func TestOwnGoroutinesAreNotTold(t *testing.T) {
	openShop(t)
	r := begin(t, tracing()...)
	isOurs := func(entry string) bool {
		return strings.HasPrefix(entry, "runtime/trace.") || strings.HasPrefix(entry, ScopeName+".(*") && !strings.Contains(entry, "(*shop)")
	}
	r.until(t, "the sample of a trace", func(c collected) bool {
		for _, p := range slices.Concat(c[telemetry.EntryCount], c[telemetry.OriginTraced]) {
			entry := p.attributes[telemetry.AttrEntry]
			if isOurs(entry) && (entry != here("(*instance).run") || p.value > 1) {
				t.Errorf("%v goroutines of %s", p.value, entry)
			}
		}
		return len(c[telemetry.OriginTraced]) > 0
	})
}

// TestOriginsMustBeAskedFor leaks, and has nothing but samples taken.
func TestOriginsMustBeAskedFor(t *testing.T) {
	for name, options := range map[string][]Option{
		"not asked for":    {},
		"capture: profile": {WithOrigins(), WithCapture(CaptureProfile)},
		"capture: off":     {WithOrigins(), WithCapture(CaptureOff)},
	} {
		c := defaultConfig()
		for _, o := range options {
			o.apply(&c)
		}
		if newOriginTracer(c) != nil {
			t.Errorf("%s: traces are taken", name)
		}
	}
	openShop(t)
	r := begin(t, WithOriginsDuration(100*time.Millisecond), WithOriginsBudget(1), WithOriginHandler(func(context.Context, Origin) {
		t.Error("the handler is called")
	}))
	n := 0
	r.until(t, "aged goroutines in many collections", func(c collected) bool {
		for name := range c {
			if strings.HasPrefix(name, "goroutine.origin.") {
				t.Errorf("%s is reported", name)
			}
		}
		if c.sum(telemetry.StackAgedCount) > 50 {
			n++
		}
		return n > 100
	})
}

// TestQuietProcessIsNotTraced has goroutines come and go.
func TestQuietProcessIsNotTraced(t *testing.T) {
	r := begin(t, tracing(WithInterval(20*time.Millisecond))...)
	for range 40 {
		end := stuck(t, 20)
		r.collect(t)
		end()
	}
	if c := r.collect(t); len(c[telemetry.OriginTraced]) > 0 {
		t.Errorf("traced: %v", c[telemetry.OriginTraced])
	}
}

// TestAnotherTracerHasPrecedence has somebody else trace for a while.
func TestAnotherTracerHasPrecedence(t *testing.T) {
	openShop(t)
	h := handle(t)
	var theirs strings.Builder
	r := begin(t, tracing()...)
	r.until(t, "aged goroutines", func(c collected) bool { return c.sum(telemetry.StackAgedCount) > 0 })
	for started := false; !started; { // a sample is short
		started = trace.Start(&theirs) == nil
	}
	n := 0
	r.until(t, "samples without a trace", func(c collected) bool {
		if len(c[telemetry.SampleDuration]) > 0 && c[telemetry.SampleDuration][0].attributes[telemetry.AttrSampleSource] == "profile" {
			n++
		}
		return n > 200
	})
	trace.Stop()
	if theirs.Len() == 0 {
		t.Error("their trace is empty")
	}
	r.until(t, "a trace once theirs has ended", func(c collected) bool { return len(c[telemetry.OriginTraced]) > 0 })
	if said := h.all(); len(said) > 0 {
		t.Errorf("told %q", said)
	}
}

// TestStopEndsATrace that would take an hour.
func TestStopEndsATrace(t *testing.T) {
	c := defaultConfig()
	WithOrigins().apply(&c)
	o := newOriginTracer(c)
	ctx, cancel := context.WithCancel(t.Context())
	type traced struct {
		ok bool
		at time.Time
	}
	ended := make(chan traced)
	go func() {
		_, ok := o.trace(ctx, &scout.Plan{Duration: time.Hour}, nil)
		ended <- traced{ok, time.Now()}
	}()
	for !trace.IsEnabled() {
		runtime.Gosched()
	}
	canceled := time.Now()
	cancel()
	if of := <-ended; of.ok || of.at.Sub(canceled) > 400*time.Millisecond {
		t.Errorf("a snapshot: %v, after %v", of.ok, of.at.Sub(canceled))
	}
	if trace.IsEnabled() {
		t.Error("the trace goes on")
	}
}

// TestTraceEndsEarly when everything is known, by the second generation at the latest.
func TestTraceEndsEarly(t *testing.T) {
	openShop(t)
	c := defaultConfig()
	WithOrigins().apply(&c)
	o := newOriginTracer(c)
	plan := &scout.Plan{Duration: time.Minute}
	for len(plan.Subjects.Groups) == 0 { // until the shop has a customer
		snapshot, err := takeTrace()
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range snapshot.Groups {
			if g.Entry == here("(*shop).waitForReply") && g.State == stack.StateSelect {
				plan.Subjects.Groups = append(plan.Subjects.Groups, origin.Subject{Signature: g.Signature})
			}
		}
	}
	var result scout.Result
	if _, err := o.follow(t.Context(), plan, &result); err != nil {
		t.Fatal(err)
	}
	if !origin.Known(result.Origins) || result.Origins[0].Traced > 10*time.Second {
		t.Errorf("%+v", result.Origins)
	}
}

// TestTraceThatIsTooLarge is given up, which is told once, and the samples go on.
func TestTraceThatIsTooLarge(t *testing.T) {
	openShop(t)
	h := handle(t)
	r := begin(t, tracing(WithOriginsMaxSize(1000))...)
	r.until(t, "an error", func(collected) bool { return len(h.all()) > 0 })
	c := r.until(t, "a sample after that", sampledBy("trace"))
	if len(c[telemetry.OriginTraced]) > 0 {
		t.Errorf("traced: %v", c[telemetry.OriginTraced])
	}
	if said := h.all(); len(said) != 1 || said[0] != "instrument: origins: "+errTraceTooLarge.Error() {
		t.Errorf("told %q", said)
	}
}

// TestHandlerThatPanics costs neither the samples nor what is known.
func TestHandlerThatPanics(t *testing.T) {
	openShop(t)
	h := handle(t)
	r := begin(t, tracing(WithOriginHandler(func(context.Context, Origin) { panic("no") }))...)
	r.until(t, "origins", func(c collected) bool { return c.sum(telemetry.OriginCreations) > 0 })
	if said := h.all(); len(said) != 1 || !strings.Contains(said[0], "origins: handler: panic") {
		t.Errorf("told %q", said)
	}
}
