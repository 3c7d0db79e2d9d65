package instrument

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// instruments are all instruments except those of contrib's runtime.
//
// Counters are synchronous although a callback adds to them, so that the MeterProvider keeps their
// totals: they neither decrease nor are counted twice if instrument is stopped and started again,
// or if a collection has nothing to observe.
type instruments struct {
	scheduler  *scheduler
	stateCount metric.Int64ObservableUpDownCounter
	cpu        *cpuCounter // nil without WithProcessCPUTime

	groups, entries levelInstruments
	stackLeaked     metric.Int64ObservableUpDownCounter

	interval, duration metric.Float64ObservableGauge

	build           metric.Int64ObservableGauge
	buildAttributes metric.MeasurementOption // nil if the build is unknown

	origins *originInstruments // nil without WithOrigins

	// probe exists only for its Enabled method. It has no measurements, so it is not
	// exported.
	probe metric.Int64Counter
}

// newInstruments creates all instruments that c requires. It also returns the observable ones as a
// list.
func newInstruments(meter metric.Meter, c *config) (*instruments, []metric.Observable, error) {
	m := maker{meter: meter}
	i := &instruments{
		scheduler:  newScheduler(m.counter(telemetry.GoroutineCreations, "Goroutines created.")),
		stateCount: m.upDownCounter(telemetry.StateCount, "Goroutines by what the scheduler does with them, the runtime's own included."),
		groups: levelInstruments{
			count: m.upDownCounter(telemetry.StackCount, "Goroutines of the group."),
			aged:  m.upDownCounter(telemetry.StackAgedCount, "Goroutines of the group that were first seen at least aged_after ago, by age band."),
			exits: newExitCounter(m.counter(telemetry.StackAgedExits, "Goroutines that were aged, were last seen in the group, and are gone from the process, by the age band that they had reached."), otherSignature),
		},
		entries: levelInstruments{
			count: m.upDownCounter(telemetry.EntryCount, "Goroutines started with the function."),
			aged:  m.upDownCounter(telemetry.EntryAgedCount, "Goroutines started with the function that were first seen at least aged_after ago, by age band."),
			exits: newExitCounter(m.counter(telemetry.EntryAgedExits, "Goroutines started with the function that were aged and are gone from the process, by the age band that they had reached."), otherEntry),
		},
		stackLeaked: m.upDownCounter(telemetry.StackLeakedCount, "Goroutines of the group that the runtime has proved to be leaked."),
		interval:    m.gauge(telemetry.SampleInterval, "Time from one sample of the stacks to the next. It is longer than was asked for when sampling would otherwise exceed its budget."),
		duration:    m.gauge(telemetry.SampleDuration, "How long the latest sample of the stacks took."),
		build:       m.build(),
		probe:       m.probe(),
	}
	if known := buildAttributes(); len(known) > 0 {
		i.buildAttributes = attributesOption(known...)
	}
	if c.ProcessCPUTime {
		i.cpu = newCPUCounter(m.seconds(telemetry.ProcessCPUTime, "CPU time that the process has used."))
	}
	if c.Origins {
		i.origins = m.origins()
	}
	return i, m.made, errors.Join(m.errs...)
}

// maker creates instruments and collects the errors.
type maker struct {
	meter metric.Meter
	made  []metric.Observable
	errs  []error
}

func (m *maker) counter(name, description string) metric.Int64Counter {
	i, err := m.meter.Int64Counter(name,
		metric.WithDescription(description), metric.WithUnit(telemetry.UnitGoroutine))
	m.errs = append(m.errs, err)
	return i
}

func (m *maker) upDownCounter(name, description string) metric.Int64ObservableUpDownCounter {
	i, err := m.meter.Int64ObservableUpDownCounter(name,
		metric.WithDescription(description), metric.WithUnit(telemetry.UnitGoroutine))
	m.add(i, err)
	return i
}

func (m *maker) seconds(name, description string) metric.Float64Counter {
	i, err := m.meter.Float64Counter(name,
		metric.WithDescription(description), metric.WithUnit(telemetry.UnitSeconds))
	m.errs = append(m.errs, err)
	return i
}

func (m *maker) gauge(name, description string) metric.Float64ObservableGauge {
	i, err := m.meter.Float64ObservableGauge(name,
		metric.WithDescription(description), metric.WithUnit(telemetry.UnitSeconds))
	m.add(i, err)
	return i
}

func (m *maker) build() metric.Int64ObservableGauge {
	i, err := m.meter.Int64ObservableGauge(telemetry.ProcessBuild,
		metric.WithDescription("1, with the build of the program that the process runs."), metric.WithUnit(telemetry.UnitBuild))
	m.add(i, err)
	return i
}

func (m *maker) origins() *originInstruments {
	var bounds []float64
	for _, bound := range exectrace.LifetimeBounds() {
		bounds = append(bounds, bound.Seconds())
	}
	lifetimes, err := m.meter.Float64Histogram(telemetry.OriginLifetime,
		metric.WithDescription("How long goroutines of the entry lived that were started and ended while the process was traced. Longer ones than a trace are not among them."),
		metric.WithUnit(telemetry.UnitSeconds), metric.WithExplicitBucketBoundaries(bounds...))
	m.errs = append(m.errs, err)
	traced, err := m.meter.Float64ObservableCounter(telemetry.OriginTraced,
		metric.WithDescription("For how long the process was traced to learn where the goroutines of the group, or of the entry, come from."),
		metric.WithUnit(telemetry.UnitSeconds))
	m.add(traced, err)
	return &originInstruments{
		creations: m.observableCounter(telemetry.OriginCreations, telemetry.UnitGoroutine, "Goroutines whose start was seen while the process was traced, by what started them."),
		wakeups:   m.observableCounter(telemetry.OriginWakeups, telemetry.UnitWakeup, "Goroutines of the group that were woken and ended while the process was traced, by what woke them last."),
		traced:    traced,
		lifetimes: &lifetimeHistogram{lifetimes},
	}
}

func (m *maker) observableCounter(name, unit, description string) metric.Int64ObservableCounter {
	i, err := m.meter.Int64ObservableCounter(name, metric.WithDescription(description), metric.WithUnit(unit))
	m.add(i, err)
	return i
}

func (m *maker) probe() metric.Int64Counter {
	i, err := m.meter.Int64Counter("goroutine.sample.probe", metric.WithDescription("Never counted."))
	m.errs = append(m.errs, err)
	return i
}

func (m *maker) add(i metric.Observable, err error) {
	m.made = append(m.made, i)
	m.errs = append(m.errs, err)
}

// observeBuild observes the build, if it is known.
func (i *instruments) observeBuild(o metric.Observer) {
	if i.buildAttributes != nil {
		o.ObserveInt64(i.build, 1, i.buildAttributes)
	}
}

// observeSampler observes the latest sample and the latest leak profile.
func (i *instruments) observeSampler(ctx context.Context, o metric.Observer, s *sampler) {
	if !s.isCaptureOff() {
		o.ObserveFloat64(i.interval, time.Duration(s.every.Load()).Seconds())
	}
	if latest := s.fresh(); latest != nil {
		o.ObserveFloat64(i.duration, latest.took.Seconds(), latest.source)
		i.groups.observe(ctx, o, latest.groups)
		i.entries.observe(ctx, o, latest.entries)
	}
	for _, r := range s.freshLeaks() {
		o.ObserveInt64(i.stackLeaked, r.count, r.attributes)
	}
	i.origins.observe(o, s.origins)
}

// levelInstruments are the instruments of groups, or of entries.
type levelInstruments struct {
	count, aged metric.Int64ObservableUpDownCounter
	exits       *exitCounter
}

func (l *levelInstruments) observe(ctx context.Context, o metric.Observer, rows []row) {
	for i := range rows {
		r := &rows[i]
		o.ObserveInt64(l.count, r.count, r.attributes)
		for k := range r.bands {
			if b := &r.bands[k]; b.observeAged {
				o.ObserveInt64(l.aged, b.aged, b.attributes)
			}
		}
		l.exits.addZero(ctx, r)
	}
}
