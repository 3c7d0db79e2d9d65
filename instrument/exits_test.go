package instrument

import (
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

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
	synctest.Test(t, func(t *testing.T) {
		delta := func(sdkmetric.InstrumentKind) metricdata.Temporality { return metricdata.DeltaTemporality }
		differences := rig{reader: sdkmetric.NewManualReader(sdkmetric.WithTemporalitySelector(delta))}
		totals := rig{reader: sdkmetric.NewManualReader()}
		meter := sdkmetric.NewMeterProvider(
			sdkmetric.WithReader(differences.reader), sdkmetric.WithReader(totals.reader)).Meter("test")
		made, observed, err := newInstruments(meter)
		if err != nil {
			t.Fatal(err)
		}
		handle(t)
		var next *stack.Snapshot
		broken := new(stack.Snapshot)
		i := &instance{metrics: made, sampler: newTestSampler(defaultConfig(), func() (*stack.Snapshot, error) {
			switch next {
			case nil:
				return nil, errors.New("interrupted")
			case broken:
				panic("a bug")
			}
			return next, nil
		})}
		if _, err := meter.RegisterCallback(i.observe, observed...); err != nil {
			t.Fatal(err)
		}
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
			{"and come again", time.Minute, tracedSnapshot(36, 36), 35},
		}
		var stackExits, entryExits float64
		for _, step := range steps {
			time.Sleep(step.after)
			next = step.snapshot
			i.sampler.tick(t.Context())
			c := differences.collect(t)
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

// There are never more sets of attributes to observe than the SDK takes.
func TestExitsOfGroupsThatAreGoneAreBounded(t *testing.T) {
	e := newExits()
	rowNamed := func(n int) row {
		set := entrySet("main.f" + strconv.Itoa(n))
		return row{set: set, attributes: metric.WithAttributeSet(set), exits: 1}
	}
	for n := range 5000 {
		e.add([]row{rowNamed(0), rowNamed(n + 1)})
	}
	if n := len(e.all()); n != maxResting+2 {
		t.Errorf("%d are remembered", n)
	}
	total := func(set attribute.Set) int64 {
		rows := []row{{set: set}}
		e.add(rows)
		return rows[0].exits
	}
	for _, test := range []struct{ row, exits int64 }{{0, 5000}, {5000, 1}, {1, 0}} {
		if n := total(entrySet("main.f" + strconv.FormatInt(test.row, 10))); n != test.exits {
			t.Errorf("row %d: %d exits, want %d", test.row, n, test.exits)
		}
	}
}
