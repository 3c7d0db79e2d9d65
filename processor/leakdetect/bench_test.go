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

// groupsOfProcess is the number of groups, and so streams, of a process.
const groupsOfProcess = 200

// processBatch returns a batch of a process.
func processBatch(number int, at time.Time) pmetric.Metrics {
	s := newFakeProcess(fmt.Sprint("service-", number))
	md, metrics := s.batch()
	all := make([]group, groupsOfProcess)
	for i := range all {
		all[i] = steady(fmt.Sprint("example.com/shop/internal/store.(*Cache).refresh-", i), "example.com/shop/internal/store.(*Cache).run", 40)
	}
	s.stacks(metrics, at, true, all...)
	return md
}

// restamp adds an interval to all timestamps of a batch.
func restamp(md pmetric.Metrics, by time.Duration) {
	for _, m := range md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		for _, p := range m.Sum().DataPoints().All() {
			p.SetTimestamp(stamp(p.Timestamp().AsTime().Add(by)))
		}
	}
}

// BenchmarkStreams measures the heap per stream with 1,000,000 streams.
func BenchmarkStreams(b *testing.B) {
	const streams = 1_000_000
	for b.Loop() {
		c := defaultConfig()
		c.MaxStreams = streams
		p, err := newLeakDetect(c, processortest.NewNopSettings(metadata.Type))
		require.NoError(b, err)
		before := heapInUse()
		for i := range streams / groupsOfProcess {
			_, _ = p.process(b.Context(), processBatch(i, epoch))
		}
		after := heapInUse()
		require.Equal(b, streams, p.tracker.size())
		b.ReportMetric(float64(after-before)/streams, "B/stream")
		runtime.KeepAlive(p)
	}
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkConsume measures the time per watched point with 100,000 streams. An observation of a
// group has three points.
func BenchmarkConsume(b *testing.B) {
	const streams = 100_000
	p, err := newLeakDetect(defaultConfig(), processortest.NewNopSettings(metadata.Type))
	require.NoError(b, err)
	batches := make([]pmetric.Metrics, streams/groupsOfProcess)
	for i := range batches {
		batches[i] = processBatch(i, epoch)
		_, _ = p.process(b.Context(), batches[i])
	}
	require.Equal(b, streams, p.tracker.size())
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
}

// BenchmarkConsumeUnwatched measures the time per unwatched point.
func BenchmarkConsumeUnwatched(b *testing.B) {
	p, err := newLeakDetect(defaultConfig(), processortest.NewNopSettings(metadata.Type))
	require.NoError(b, err)
	md, metrics := newFakeProcess("shop").batch()
	for i := range 1000 {
		newFakeProcess("shop").total(metrics, epoch, fmt.Sprint(telemetry.ScrapeUp, i), group{count: i})
	}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = p.process(b.Context(), md)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*1000), "ns/point")
}

// BenchmarkEncodeState measures the time to encode the state of 100,000 streams, and its size.
func BenchmarkEncodeState(b *testing.B) {
	const streams = 100_000
	p, err := newLeakDetect(defaultConfig(), processortest.NewNopSettings(metadata.Type))
	require.NoError(b, err)
	for i := range streams / groupsOfProcess {
		_, _ = p.process(b.Context(), processBatch(i, epoch))
	}
	require.Equal(b, streams, p.tracker.size())
	size := 0
	b.ReportAllocs()
	for b.Loop() {
		state, err := p.tracker.encodeState()
		require.NoError(b, err)
		size = len(state)
	}
	b.ReportMetric(float64(size)/streams, "B/stream")
}
