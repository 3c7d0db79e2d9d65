package leakdetect

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
)

// maxMixedServices is the maximum number of services whose mixed-up processes are logged.
const maxMixedServices = 1000

// newMixedUp returns resources with mixed-up processes, one for each service that was not returned
// before. Resources without a service name count as one service.
func (t *tracker) newMixedUp(processes []detect.ID, r *reader, md pmetric.Metrics) []pcommon.Map {
	var resources []pcommon.Map
	for _, process := range processes {
		index, inBatch := r.resources[process]
		if !inBatch {
			continue // flushed by Shutdown
		}
		resource := md.ResourceMetrics().At(index).Resource().Attributes()
		service, _ := serviceOf(resource)
		if name := identify(service); !t.mixedServices[name] && len(t.mixedServices) < maxMixedServices {
			t.mixedServices[name] = true
			resources = append(resources, resource)
		}
	}
	return resources
}
