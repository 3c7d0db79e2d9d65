//go:build go1.25

package instrument

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// tracedSnapshot is a trace of one group, with goroutines of these IDs.
func tracedSnapshot(first, last uint64) *stack.Snapshot {
	s := &stack.Snapshot{
		Source: stack.SourceTrace, HighestID: last, Procs: 1,
		Groups: []stack.Group{{
			Signature: stack.Signature{ID: 1, State: stack.StateChanReceive, Blamed: stack.Frame{Function: "main.wait"}, Entry: "main.wait"},
		}},
	}
	for id := first; id <= last; id++ {
		s.Goroutines = append(s.Goroutines, stack.Goroutine{ID: id})
		s.Groups[0].Count++
	}
	return s
}

// Whatever happens between two samples, an exit is told once where differences are
// exported, and remembered where totals are.
func TestAnExitIsToldOnce(t *testing.T) {
	// The SDK forgets between two collections what the first does not observe.
	for _, collectedMeanwhile := range []bool{false, true} {
		anExitIsToldOnce(t, collectedMeanwhile)
	}
}

func anExitIsToldOnce(t *testing.T, collectedMeanwhile bool) {
	synctest.Test(t, func(t *testing.T) {
		differences := rig{reader: deltaReader()}
		totals := rig{reader: sdkmetric.NewManualReader()}
		meter := sdkmetric.NewMeterProvider(
			sdkmetric.WithReader(differences.reader), sdkmetric.WithReader(totals.reader)).Meter("test")
		handle(t)
		var next *stack.Snapshot
		broken, restart := new(stack.Snapshot), new(stack.Snapshot)
		take := func() (*stack.Snapshot, error) {
			switch next {
			case nil:
				return nil, errors.New("interrupted")
			case broken:
				panic("a bug")
			}
			return next, nil
		}
		begin := func() (*instance, metric.Registration) {
			made, observed, err := newInstruments(meter, everything())
			if err != nil {
				t.Fatal(err)
			}
			i := &instance{metrics: made, sampler: newSampler(defaultConfig(), made)}
			i.sampler.capture = take
			close(i.sampler.ended) // nobody answers requests
			r, err := meter.RegisterCallback(i.observe, observed...)
			if err != nil {
				t.Fatal(err)
			}
			return i, r
		}
		i, registration := begin()
		empty := &stack.Snapshot{Source: stack.SourceProfile}
		steps := []struct {
			name     string
			after    time.Duration
			snapshot *stack.Snapshot
			exits    float64 // so far
		}{
			{"thirty", 0, tracedSnapshot(1, 31), 0},
			{"aged", 10 * time.Minute, tracedSnapshot(1, 31), 0},
			{"gone, but one", time.Minute, tracedSnapshot(31, 31), 30},
			{"nothing new", time.Minute, tracedSnapshot(31, 31), 30},
			{"a profile instead", time.Minute, empty, 30},
			{"a trace again", time.Minute, tracedSnapshot(31, 31), 30},
			{"no sample", time.Minute, nil, 30},
			{"a sample again", time.Minute, tracedSnapshot(31, 35), 30},
			{"a panic", time.Minute, broken, 30},
			{"begun anew", time.Minute, tracedSnapshot(31, 35), 30},
			{"aged anew", 10 * time.Minute, tracedSnapshot(31, 35), 30},
			{"one more is gone", time.Minute, tracedSnapshot(32, 35), 31},
			{"too old", time.Hour, nil, 31},
			{"all are gone", time.Minute, tracedSnapshot(36, 35), 35},
			{"long gone", time.Hour, tracedSnapshot(36, 35), 35},
			{"and come again", time.Minute, tracedSnapshot(36, 39), 35},
			{"stopped and started", time.Minute, restart, 35},
			{"seen first", time.Minute, tracedSnapshot(36, 39), 35},
			{"aged once more", 10 * time.Minute, tracedSnapshot(36, 39), 35},
			{"two are gone", time.Minute, tracedSnapshot(38, 39), 37},
			{"stopped and started once more", time.Minute, restart, 37},
			{"seen first, once more", time.Minute, tracedSnapshot(38, 39), 37},
			{"aged a third time", 10 * time.Minute, tracedSnapshot(38, 39), 37},
			{"the last are gone", time.Minute, tracedSnapshot(40, 39), 39},
		}
		var stackExits, entryExits float64
		for _, step := range steps {
			time.Sleep(step.after)
			if next = step.snapshot; next == restart {
				if err := registration.Unregister(); err != nil {
					t.Fatal(err)
				}
				if collectedMeanwhile {
					stackExits += differences.collect(t).sum(telemetry.StackAgedExits)
				}
				i, registration = begin()
				continue
			}
			i.sampler.tick(t.Context())
			c := differences.collect(t)
			for _, p := range append(c[telemetry.StackAgedExits], c[telemetry.EntryAgedExits]...) {
				if p.value < 0 {
					t.Errorf("%s: a difference of %v exits", step.name, p.value)
				}
			}
			stackExits += c.sum(telemetry.StackAgedExits, telemetry.AttrFunction, "main.wait")
			entryExits += c.sum(telemetry.EntryAgedExits, telemetry.AttrEntry, "main.wait")
			if stackExits != step.exits || entryExits != step.exits {
				t.Errorf("%s: differences add up to %v and %v exits, want %v", step.name, stackExits, entryExits, step.exits)
			}
			c = totals.collect(t)
			if n := c.sum(telemetry.StackAgedExits); n != step.exits {
				t.Errorf("%s: a total of %v exits, want %v", step.name, n, step.exits)
			}
		}
	})
}

// deltaReader is a reader that exports differences.
func deltaReader() *sdkmetric.ManualReader {
	return sdkmetric.NewManualReader(sdkmetric.WithTemporalitySelector(
		func(sdkmetric.InstrumentKind) metricdata.Temporality { return metricdata.DeltaTemporality }))
}

// TestNothingIsCountedTwice stops and starts on one MeterProvider, twice, as a service
// does that reads its configuration anew. What differences add up to is what totals
// are, and neither has what was before the first Start.
func TestNothingIsCountedTwice(t *testing.T) {
	before := uint64Now(t, createdMetric)
	stuck(t, 10_000)()
	differences, totals := rig{reader: deltaReader()}, rig{reader: sdkmetric.NewManualReader()}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(differences.reader), sdkmetric.WithReader(totals.reader))
	counters := []string{telemetry.GoroutineCreations, telemetry.ProcessCPUTime, telemetry.StackAgedExits, telemetry.EntryAgedExits}
	sums, last := map[string]float64{}, map[string]float64{}
	check := func(c, all collected) {
		t.Helper()
		for _, name := range counters {
			for _, p := range c[name] {
				if p.value < 0 {
					t.Errorf("%s: a difference of %v", name, p.value)
				}
			}
			sums[name] += c.sum(name)
			if all.sum(name) < last[name] {
				t.Errorf("%s falls from %v to %v", name, last[name], all.sum(name))
			}
			last[name] = all.sum(name)
		}
	}
	const leave = 40
	for range 3 {
		stop, err := Start(WithMeterProvider(provider), WithInterval(5*time.Millisecond), WithProcessCPUTime(),
			WithAgedAfter(50*time.Millisecond), WithOverheadBudget(1))
		if err != nil {
			t.Fatal(err)
		}
		exits := last[telemetry.StackAgedExits]
		end := stuck(t, leave)
		both := func(until func(collected) bool) {
			totals.until(t, "all", func(all collected) bool {
				check(differences.collect(t), all)
				return until(all)
			})
		}
		both(func(all collected) bool {
			return all.sum(telemetry.StackAgedCount, telemetry.AttrFunction, here("waitHere")) == leave
		})
		end()
		both(func(all collected) bool { return all.sum(telemetry.StackAgedExits) >= exits+leave })
		if err := stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		stuck(t, 10_000)() // while nobody counts
		c := differences.collect(t)
		check(c, totals.collect(t))
		c = differences.collect(t)
		if len(c) != 0 {
			t.Errorf("after stop there are differences: %v", slices.Collect(maps.Keys(c)))
		}
	}
	for _, name := range counters {
		if sum, total := sums[name], last[name]; sum < total*0.999 || sum > total*1.001 {
			t.Errorf("%s: differences add up to %v, the total is %v", name, sum, total)
		}
	}
	if n := last[telemetry.GoroutineCreations]; n < 3*leave || n >= 10_000 {
		t.Errorf("%v creations while it was started, of %d in all", n, uint64Now(t, createdMetric)-before)
	}
}

func uint64Now(t *testing.T, name string) uint64 {
	t.Helper()
	n, ok := uint64Of(readMetrics(name)[0])
	if !ok {
		t.Fatalf("%s is not counted", name)
	}
	return n
}

// ageMin returns the attribute of an age band as a point has it.
func ageMin(bound time.Duration) string {
	return attribute.Float64Value(bound.Seconds()).Emit()
}

// TestAgeBands follows one group through the age bands, and to its exits.
func TestAgeBands(t *testing.T) {
	r := rig{reader: sdkmetric.NewManualReader()}
	meter := sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.reader)).Meter("test")
	made, observed, err := newInstruments(meter, everything())
	if err != nil {
		t.Fatal(err)
	}
	const agedAfter = 10 * time.Minute
	c := census.NewOwn(agedAfter, 200)
	var latest *sample
	if _, err := meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		made.groups.observe(ctx, o, latest.groups)
		made.entries.observe(ctx, o, latest.entries)
		return nil
	}, observed...); err != nil {
		t.Fatal(err)
	}
	bounds := census.Bounds(agedAfter)
	began := time.Now()
	for _, step := range []struct {
		minutes     time.Duration
		snapshot    *stack.Snapshot
		aged, exits map[int]float64 // by band
	}{
		{0, tracedSnapshot(1, 30), map[int]float64{0: 0}, map[int]float64{0: 0}},
		{10, tracedSnapshot(1, 30), map[int]float64{0: 30}, map[int]float64{0: 0}},
		{80, tracedSnapshot(1, 30), map[int]float64{0: 0, 1: 30}, map[int]float64{0: 0}},
		{90, tracedSnapshot(3, 30), map[int]float64{0: 0, 1: 28}, map[int]float64{0: 0, 1: 2}},
		{640, tracedSnapshot(3, 30), map[int]float64{0: 0, 1: 0, 3: 28}, map[int]float64{0: 0, 1: 2}},
		{641, tracedSnapshot(30, 30), map[int]float64{0: 0, 1: 0, 3: 1}, map[int]float64{0: 0, 1: 2, 3: 27}},
	} {
		at := began.Add(step.minutes * time.Minute)
		latest = newSample(c.Observe(step.snapshot, at), at)
		made.groups.exits.add(t.Context(), latest.groups, bounds[0])
		made.entries.exits.add(t.Context(), latest.entries, bounds[0])
		found := r.collect(t)
		for name, want := range map[string]map[int]float64{
			telemetry.StackAgedCount: step.aged, telemetry.EntryAgedCount: step.aged,
			telemetry.StackAgedExits: step.exits, telemetry.EntryAgedExits: step.exits,
		} {
			if len(found[name]) != len(want) {
				t.Errorf("%d min: %s has %v, want %v", step.minutes, name, found[name], want)
			}
			for band, n := range want {
				if got := found.sum(name, telemetry.AttrEntry, "main.wait", telemetry.AttrAgeMin, ageMin(bounds[band])); got != n {
					t.Errorf("%d min: %s of band %d is %v, want %v", step.minutes, name, band, got, n)
				}
			}
		}
	}
}

// TestViewsDoNotSilenceCounters drops all that is observed in the callback.
func TestViewsDoNotSilenceCounters(t *testing.T) {
	r := rig{reader: sdkmetric.NewManualReader()}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.reader), sdkmetric.WithView(
		sdkmetric.NewView(sdkmetric.Instrument{Name: "goroutine.*"}, sdkmetric.Stream{Aggregation: sdkmetric.AggregationDrop{}})))
	stop, err := Start(WithMeterProvider(provider), WithInterval(5*time.Millisecond), WithProcessCPUTime())
	if err != nil {
		t.Fatal(err)
	}
	r.until(t, "CPU time", func(c collected) bool { return c.sum(telemetry.ProcessCPUTime) > 0 })
	if err := stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestStopCountsToTheEnd has all happen after the last collection.
func TestStopCountsToTheEnd(t *testing.T) {
	r := rig{reader: sdkmetric.NewManualReader()}
	stop, err := Start(WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.reader))))
	if err != nil {
		t.Fatal(err)
	}
	r.collect(t)
	stuck(t, 10_000)()
	if err := stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := r.collect(t).sum(telemetry.GoroutineCreations); n < 10_000 {
		t.Errorf("%v creations", n)
	}
}
