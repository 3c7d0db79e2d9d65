package leakpage

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/collector/points"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
	"github.com/otel-goroutine/otel-goroutine/internal/page/pagetest"
)

// FuzzMetrics reads any metrics.
func FuzzMetrics(f *testing.F) {
	data, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(shop(pagetest.Start, 50))
	require.NoError(f, err)
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		md, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(data)
		if err != nil {
			return
		}
		m := defaultConfig().newAggregator()
		m.ObserveBatch(pagetest.Start, func(observe func(finding.Point)) { points.Read(md, m.Reads, observe) })
		m.Site(pagetest.Start)
		_, err = m.MarshalBinary()
		require.NoError(t, err)
	})
}

// FuzzLogs reads any log records.
func FuzzLogs(f *testing.F) {
	data, err := (&plog.ProtoMarshaler{}).MarshalLogs(origin(pagetest.Start))
	require.NoError(f, err)
	f.Add(data)
	f.Fuzz(func(_ *testing.T, data []byte) {
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
		if err != nil {
			return
		}
		m := defaultConfig().newAggregator()
		readOrigins(ld, func(service finding.Service, o history.Origin) {
			m.ObserveOrigin(service, o, pagetest.Start)
			history.ReadStacks(o.Stacks)
		})
		m.Site(pagetest.Start)
	})
}
