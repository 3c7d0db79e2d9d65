package instrument

import (
	"runtime/metrics"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// created is the runtime's own count of the goroutines that were ever created.
const created = "/sched/goroutines-created:goroutines"

// schedulerStates are the runtime's counts of goroutines by state, with the
// attribute of each.
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
	return attributesOption(attribute.String(telemetry.AttrState, state))
}

// observeScheduler observes what the scheduler counts by itself. What this version
// of Go does not count is left out.
func (i *instruments) observeScheduler(o metric.Observer) {
	read := make([]metrics.Sample, 0, len(schedulerStates)+1)
	for _, s := range schedulerStates {
		read = append(read, metrics.Sample{Name: s.name})
	}
	read = append(read, metrics.Sample{Name: created})
	metrics.Read(read)
	for n, s := range schedulerStates {
		if value := read[n].Value; value.Kind() == metrics.KindUint64 {
			o.ObserveInt64(i.stateCount, int64(value.Uint64()), s.attributes)
		}
	}
	if value := read[len(schedulerStates)].Value; value.Kind() == metrics.KindUint64 {
		o.ObserveInt64(i.creations, int64(value.Uint64()))
	}
}
