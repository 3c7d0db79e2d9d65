package main

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/growth"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect"
)

// hoursPlayed is the length of a case in hours.
const hoursPlayed = 24

// TestProcessorAgreesWithTable passes some of the cases as metrics through the processor from its factory. It must flag
// the same subjects as the detector in the table, in the same minutes.
func TestProcessorAgreesWithTable(t *testing.T) {
	for _, name := range []string{
		"leak, 1 a minute", "leak, loop between states", "leak, among Pareto sessions", "leak, memory alone",
		"leak, a restart every few hours", "leak, twenty replicas", "lazy keys, deploys every few hours",
	} {
		t.Run(name, func(t *testing.T) {
			all := families()
			f := all[slices.IndexFunc(all, func(f family) bool { return f.name == name })]
			synctest.Test(t, func(t *testing.T) {
				r := random(f.name, 0)
				trial := f.make(r)
				series := make([]*series, len(trial.processes))
				for i, p := range trial.processes {
					series[i] = simulate(r, p, min(f.hours, hoursPlayed)*hour)
				}
				flags := compareFlags(t, newDetector(trial, series, true, lifetimeDefault), newProcessor(t))
				assert.Equal(t, len(trial.leaks) > 0, flags > 0)
			})
		})
	}
}

// compareFlags plays a case through both, and returns the number of flags.
func compareFlags(t *testing.T, d *detector, p *underTest) (flags int) {
	t.Helper()
	for minute := range hoursPlayed * int(hour) {
		want := make(map[string]growth.Severity)
		d.advance(minute, func(a alarm) {
			key := fmt.Sprintf("process %d: %s", a.process, a.subject)
			want[key] = max(want[key], a.severity)
		})
		got := p.flags(t, metricsOf(d))
		require.Equal(t, want, got, "minute %d", minute)
		flags += len(got)
		for i := range d.processes {
			if d.processes[i].minute() == minute {
				d.processes[i].next++
			}
		}
		time.Sleep(time.Minute)
	}
	return flags
}

// underTest is the processor and its output.
type underTest struct {
	processor.Metrics
	sink consumertest.MetricsSink
}

func newProcessor(t *testing.T) *underTest {
	t.Helper()
	p := &underTest{}
	factory := leakdetect.NewFactory()
	var err error
	p.Metrics, err = factory.CreateMetrics(t.Context(), processortest.NewNopSettings(factory.Type()), factory.CreateDefaultConfig(), &p.sink)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, p.Shutdown(t.Context())) })
	return p
}

// flags returns the flags that the processor adds to a batch.
func (p *underTest) flags(t *testing.T, md pmetric.Metrics) map[string]growth.Severity {
	t.Helper()
	p.sink.Reset()
	require.NoError(t, p.ConsumeMetrics(t.Context(), md))
	flags := make(map[string]growth.Severity)
	for _, rm := range p.sink.AllMetrics()[0].ResourceMetrics().All() {
		process := theService
		if id, ok := rm.Resource().Attributes().Get("service.instance.id"); ok {
			process = int(id.Int())
		}
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				switch m.Name() {
				case telemetry.LeakSeverity, telemetry.ServiceLeakSeverity, telemetry.MemoryLeakSeverity:
				default:
					continue
				}
				for _, point := range m.Gauge().DataPoints().All() {
					if s := growth.Severity(point.IntValue()); s > growth.None {
						key := fmt.Sprintf("process %d: %s", process, subjectOf(point.Attributes()))
						flags[key] = max(flags[key], s)
					}
				}
			}
		}
	}
	return flags
}

func subjectOf(attributes pcommon.Map) string {
	for _, key := range []string{telemetry.AttrLeakMetric, telemetry.AttrFunction, telemetry.AttrEntry} {
		if v, ok := attributes.Get(key); ok {
			return v.Str()
		}
	}
	return ""
}

// metricsOf returns the latest readings of a detector as metrics of a receiver.
func metricsOf(d *detector) pmetric.Metrics {
	md := pmetric.NewMetrics()
	type stream struct {
		process detect.ID
		metric  string
	}
	resources := make(map[detect.ID]pmetric.MetricSlice)
	metrics := make(map[stream]pmetric.NumberDataPointSlice)
	names := d.subjects
	for _, r := range d.readings {
		if _, ok := resources[r.Process]; !ok {
			rm := md.ResourceMetrics().AppendEmpty()
			rm.Resource().Attributes().PutStr("service.name", "shop")
			rm.Resource().Attributes().PutInt("service.instance.id", int64(names[r.Process].process))
			resources[r.Process] = rm.ScopeMetrics().AppendEmpty().Metrics()
		}
		at := stream{r.Process, metricName(r)}
		if _, ok := metrics[at]; !ok {
			m := resources[r.Process].AppendEmpty()
			m.SetName(at.metric)
			sum := m.SetEmptySum()
			sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			sum.SetIsMonotonic(r.Part == detect.Exits)
			metrics[at] = sum.DataPoints()
		}
		p := metrics[at].AppendEmpty()
		p.SetTimestamp(pcommon.Timestamp(r.At))
		p.SetStartTimestamp(pcommon.Timestamp(r.Start))
		p.SetIntValue(int64(r.Value))
		switch r.Kind {
		case detect.Stack:
			p.Attributes().PutStr(telemetry.AttrSignature, names[r.Group].name)
			p.Attributes().PutStr(telemetry.AttrFunction, names[r.Group].name)
			p.Attributes().PutStr(telemetry.AttrEntry, names[r.Entry].name)
			if r.HeldByPeer {
				p.Attributes().PutStr(telemetry.AttrState, telemetry.StateIOWait)
			}
		case detect.Entry:
			p.Attributes().PutStr(telemetry.AttrEntry, names[r.Group].name)
		}
		if r.Part == detect.Aged || r.Part == detect.Exits {
			p.Attributes().PutDouble(telemetry.AttrAgeMin, r.Band.Seconds())
		}
	}
	return md
}

// metricName returns the metric of a reading.
func metricName(r detect.Reading) string {
	if r.Kind == detect.Memory {
		return memoryMetric
	}
	return map[detect.Kind]map[detect.Part]string{
		detect.Stack: {detect.Count: telemetry.StackCount, detect.Aged: telemetry.StackAgedCount, detect.Exits: telemetry.StackAgedExits},
		detect.Entry: {detect.Count: telemetry.EntryCount, detect.Aged: telemetry.EntryAgedCount, detect.Exits: telemetry.EntryAgedExits},
	}[r.Kind][r.Part]
}
