package leakdetect

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadata"
)

// fleet makes the batches of as many processes of 200 groups as are needed for so
// many streams, at a time.
func fleet(streams int, at time.Time) []pmetric.Metrics {
	const groups = 200
	batches := make([]pmetric.Metrics, streams/groups)
	for i := range batches {
		s := newScene(fmt.Sprint("service-", i))
		md, metrics := s.batch()
		all := make([]group, groups)
		for j := range all {
			all[j] = steady(fmt.Sprint("example.com/shop/internal/store.(*Cache).refresh-", j), "example.com/shop/internal/store.(*Cache).run", 40)
		}
		s.stacks(metrics, at, true, all...)
		batches[i] = md
	}
	return batches
}

// restamp moves a batch on by an interval.
func restamp(md pmetric.Metrics, by time.Duration) {
	for _, m := range md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		for _, p := range m.Sum().DataPoints().All() {
			p.SetTimestamp(stamp(p.Timestamp().AsTime().Add(by)))
		}
	}
}

// Time a watched point, and heap a stream, with 100,000 streams.
func BenchmarkConsume(b *testing.B) {
	const streams = 100_000
	p, err := newLeakDetect(defaultConfig(), processortest.NewNopSettings(metadata.Type))
	require.NoError(b, err)
	batches := fleet(streams, epoch)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for _, md := range batches {
		_, _ = p.process(b.Context(), md)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Len(b, p.watch.streams, streams)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		md := batches[i%len(batches)]
		i++
		b.StopTimer()
		restamp(md, time.Minute)
		b.StartTimer()
		_, _ = p.process(b.Context(), md)
	}
	points := batches[0].DataPointCount()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*points), "ns/point")
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/streams, "B/stream")
	runtime.KeepAlive(p)
}

// What data that is not watched pays for passing through.
func BenchmarkConsumeUnwatched(b *testing.B) {
	p, err := newLeakDetect(defaultConfig(), processortest.NewNopSettings(metadata.Type))
	require.NoError(b, err)
	md, metrics := newScene("shop").batch()
	for i := range 1000 {
		newScene("shop").total(metrics, epoch, fmt.Sprint(telemetry.ScrapeUp, i), group{count: i})
	}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = p.process(b.Context(), md)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*1000), "ns/point")
}
