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

// rig is a processor from the real factory, and what comes out of it.
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

// shortLives has growth that is known from a level alone believed after an hour.
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

// consume passes a batch through and returns the flags that were added to it. It
// fails the test unless all else came out as it went in.
func (r *rig) consume(md pmetric.Metrics) flagged {
	before := marshal(r.t, md)
	r.sink.Reset()
	require.NoError(r.t, r.processor.ConsumeMetrics(context.Background(), md))
	require.Len(r.t, r.sink.AllMetrics(), 1)
	out := r.sink.AllMetrics()[0]
	found := takeFlags(out)
	require.Equal(r.t, before, marshal(r.t, out), "all but our own scope is passed on unchanged")
	return found
}

func marshal(t testing.TB, md pmetric.Metrics) []byte {
	data, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(md)
	require.NoError(t, err)
	return data
}

// flagPoint is one point of a metric that flags a leak.
type flagPoint struct {
	metric     string
	service    string
	at         time.Time
	value      float64
	attributes pcommon.Map
}

// who names the group that is flagged: its function, its entry if it has none, or
// the memory metric.
func (f flagPoint) who() string {
	for _, key := range []string{telemetry.AttrLeakMetric, telemetry.AttrFunction, telemetry.AttrEntry} {
		if v := valueOf(f.attributes, key); v != "" {
			return v
		}
	}
	return "total"
}

type flagged []flagPoint

// severity returns the severity at which a group is flagged; -1 if it is not.
func (fs flagged) severity(who string) int {
	if f, ok := fs.find(who, "severity"); ok {
		return int(f.value)
	}
	return -1
}

// find returns the latest flag of a group in the metric with this suffix.
func (fs flagged) find(who, suffix string) (flagPoint, bool) {
	for _, f := range slices.Backward(fs) {
		if f.who() == who && strings.HasSuffix(f.metric, "."+suffix) {
			return f, true
		}
	}
	return flagPoint{}, false
}

// takeFlags takes our own scope out of a batch and returns what was in it, but for what
// is said of services.
func takeFlags(md pmetric.Metrics) flagged {
	takeServiceFlags(md)
	var found flagged
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

// takeServiceFlags takes out of a batch what is said of services, in resources of their own.
func takeServiceFlags(md pmetric.Metrics) flagged {
	var found flagged
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

func takePoints(m pmetric.Metric, service string) flagged {
	var found flagged
	if m.Type() != pmetric.MetricTypeGauge {
		return nil // how many have ended
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

// play consumes a batch a minute and returns when a group was first flagged at
// severity or above.
func (r *rig) play(length time.Duration, who string, severity int, data func(time.Time) pmetric.Metrics) (time.Duration, bool) {
	for after := time.Minute; after <= length; after += time.Minute {
		if r.consume(data(epoch.Add(after))).severity(who) >= severity {
			return after, true
		}
	}
	return 0, false
}

// warm has the processor learn that scrapes of a process come whole, by the end of ten
// minutes before the epoch.
func (r *rig) warm(s scene, groups ...group) {
	s.start = epoch.Add(-time.Hour)
	for i := range 4 {
		r.consume(s.census(epoch.Add(time.Duration(i-5)*10*time.Minute), groups...))
	}
}
