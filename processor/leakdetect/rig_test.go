package leakdetect

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadata"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadatatest"
)

func flatten(name string) string { return strings.ReplaceAll(name, ".", "_") }

// rig is a processor from the real factory, with its output and telemetry.
type rig struct {
	t         testing.TB
	processor processor.Metrics
	sink      *consumertest.MetricsSink
	telemetry *componenttest.Telemetry
}

func newRig(t testing.TB, change ...func(*Config)) *rig {
	r := &rig{t: t, sink: new(consumertest.MetricsSink), telemetry: componenttest.NewTelemetry()}
	t.Cleanup(func() { require.NoError(t, r.telemetry.Shutdown(context.Background())) })
	r.processor = r.create(metadatatest.NewSettings(r.telemetry), change...)
	return r
}

// shortLives sets max_lifetime to an hour, so that growth of counts is suspected after an hour.
func shortLives(c *Config) { c.MaxLifetime = time.Hour }

func (r *rig) create(set processor.Settings, change ...func(*Config)) processor.Metrics {
	factory := NewFactory()
	cfg := factory.CreateDefaultConfig().(*Config)
	for _, c := range change {
		c(cfg)
	}
	require.NoError(r.t, cfg.Validate())
	set.BuildInfo.Version = "1.2.3"
	p, err := factory.CreateMetrics(context.Background(), set, cfg, r.sink)
	require.NoError(r.t, err)
	require.NoError(r.t, p.Start(context.Background(), componenttest.NewNopHost()))
	r.t.Cleanup(func() { require.NoError(r.t, p.Shutdown(context.Background())) })
	return p
}

// consume consumes a batch and returns the added flags. It fails the test if anything else has
// changed.
func (r *rig) consume(md pmetric.Metrics) flags {
	before := marshal(r.t, md)
	r.sink.Reset()
	require.NoError(r.t, r.processor.ConsumeMetrics(context.Background(), md))
	require.Len(r.t, r.sink.AllMetrics(), 1)
	out := r.sink.AllMetrics()[0]
	found := takeFlags(out)
	require.Equal(r.t, before, marshal(r.t, out), "data other than our scope has changed")
	return found
}

func marshal(t testing.TB, md pmetric.Metrics) []byte {
	data, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(md)
	require.NoError(t, err)
	return data
}

// flagPoint is a point of a metric that flags a leak.
type flagPoint struct {
	metric     string
	service    string
	at         time.Time
	value      float64
	attributes pcommon.Map
}

// who returns the name of the flagged group: its function or else its entry, or the memory metric.
func (f flagPoint) who() string {
	for _, key := range []string{telemetry.AttrLeakMetric, telemetry.AttrFunction, telemetry.AttrEntry} {
		if v := valueOf(f.attributes, key); v != "" {
			return v
		}
	}
	return "total"
}

type flags []flagPoint

// severity returns the severity of a group, or -1 if it is not flagged.
func (fs flags) severity(who string) int {
	if f, ok := fs.find(who, "severity"); ok {
		return int(f.value)
	}
	return -1
}

// find returns the latest flag of a group in the metric with this suffix.
func (fs flags) find(who, suffix string) (flagPoint, bool) {
	for _, f := range slices.Backward(fs) {
		if f.who() == who && strings.HasSuffix(f.metric, "."+suffix) {
			return f, true
		}
	}
	return flagPoint{}, false
}

// takeFlags removes our scope from a batch and returns its points, except those of services.
func takeFlags(md pmetric.Metrics) flags {
	takeServiceFlags(md)
	var found flags
	for _, rm := range md.ResourceMetrics().All() {
		service := valueOf(rm.Resource().Attributes(), "service.name")
		rm.ScopeMetrics().RemoveIf(func(sm pmetric.ScopeMetrics) bool {
			if sm.Scope().Name() != metadata.ScopeName {
				return false
			}
			for _, m := range sm.Metrics().All() {
				found = append(found, takePoints(m, service)...)
			}
			return true
		})
	}
	return found
}

// takeServiceFlags removes the resources of services from a batch and returns their points.
func takeServiceFlags(md pmetric.Metrics) flags {
	var found flags
	md.ResourceMetrics().RemoveIf(func(rm pmetric.ResourceMetrics) bool {
		isService := false
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if sm.Scope().Name() == metadata.ScopeName && strings.Contains(m.Name(), ".service.") {
					isService = true
					found = append(found, takePoints(m, valueOf(rm.Resource().Attributes(), "service.name"))...)
				}
			}
		}
		return isService
	})
	return found
}

func takePoints(m pmetric.Metric, service string) flags {
	var found flags
	if m.Type() != pmetric.MetricTypeGauge {
		return nil // goroutine.leak.ended
	}
	for _, p := range m.Gauge().DataPoints().All() {
		value := p.DoubleValue()
		if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
			value = float64(p.IntValue())
		}
		attributes := pcommon.NewMap()
		p.Attributes().CopyTo(attributes)
		found = append(found, flagPoint{m.Name(), service, p.Timestamp().AsTime(), value, attributes})
	}
	return found
}

// play consumes a batch per minute and returns when a group was first flagged with severity or
// above.
func (r *rig) play(length time.Duration, who string, severity int, data func(time.Time) pmetric.Metrics) (time.Duration, bool) {
	for after := time.Minute; after <= length; after += time.Minute {
		if r.consume(data(epoch.Add(after))).severity(who) >= severity {
			return after, true
		}
	}
	return 0, false
}

// warm consumes complete scrapes of a process before the epoch, so that the processor does not wait
// for missing parts.
func (r *rig) warm(s fakeProcess, groups ...group) {
	s.start = epoch.Add(-time.Hour)
	for i := range 4 {
		r.consume(s.census(epoch.Add(time.Duration(i-5)*10*time.Minute), groups...))
	}
}
