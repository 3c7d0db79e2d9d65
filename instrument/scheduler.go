package instrument

import (
	"context"
	"runtime/metrics"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// createdMetric is the runtime's count of all goroutines ever created.
const createdMetric = "/sched/goroutines-created:goroutines"

// schedulerStates are the runtime's counts of goroutines by state, with the attribute of each.
var schedulerStates = []struct {
	name       string
	attributes metric.MeasurementOption
}{
	{"/sched/goroutines/not-in-go:goroutines", stateOption("not_in_go")},
	{"/sched/goroutines/runnable:goroutines", stateOption("runnable")},
	{"/sched/goroutines/running:goroutines", stateOption("running")},
	{"/sched/goroutines/waiting:goroutines", stateOption("waiting")},
}

func stateOption(state string) metric.MeasurementOption {
	return attributesOption(attribute.String(telemetry.AttrSchedulerState, state))
}

// scheduler counts the goroutines created since newScheduler. It is safe for concurrent
// use.
type scheduler struct {
	creations metric.Int64Counter

	mu   sync.Mutex
	last uint64 // latest value of createdMetric
}

func newScheduler(creations metric.Int64Counter) *scheduler {
	s := &scheduler{creations: creations}
	s.last, _ = uint64Of(readMetrics(createdMetric)[0])
	return s
}

// count adds the goroutines created since the last call.
func (s *scheduler) count(ctx context.Context) {
	if n, ok := uint64Of(readMetrics(createdMetric)[0]); ok {
		s.creations.Add(ctx, s.since(n))
	}
}

// observeSchedulerStates observes the number of goroutines in each scheduler state that this version
// of Go counts.
func observeSchedulerStates(o metric.Observer, stateCount metric.Int64ObservableUpDownCounter) {
	names := make([]string, len(schedulerStates))
	for i, state := range schedulerStates {
		names[i] = state.name
	}
	for i, sample := range readMetrics(names...) {
		if n, ok := uint64Of(sample); ok {
			o.ObserveInt64(stateCount, int64(n), schedulerStates[i].attributes)
		}
	}
}

// since returns how many goroutines were created since the last call.
func (s *scheduler) since(n uint64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, s.last = max(n, s.last)-s.last, max(n, s.last)
	return int64(n)
}

func readMetrics(names ...string) []metrics.Sample {
	samples := make([]metrics.Sample, len(names))
	for i, name := range names {
		samples[i].Name = name
	}
	metrics.Read(samples)
	return samples
}

func uint64Of(s metrics.Sample) (uint64, bool) {
	if s.Value.Kind() != metrics.KindUint64 {
		return 0, false
	}
	return s.Value.Uint64(), true
}
