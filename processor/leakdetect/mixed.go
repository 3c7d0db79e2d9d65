package leakdetect

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
)

// maxMixed bounds of how many services it is told that their processes are mixed up.
const maxMixed = 1000

// mixedIn returns the resources of processes that are mixed up, one of each service of
// which it was not told before. Those without a name are one service.
func (w *watch) mixedIn(processes []detect.ID, r *reader, md pmetric.Metrics) []pcommon.Map {
	var resources []pcommon.Map
	for _, process := range processes {
		index, here := r.origins[process]
		if !here {
			continue // a shutdown
		}
		resource := md.ResourceMetrics().At(index).Resource().Attributes()
		service, _ := serviceOf(resource)
		if name := identify(service); !w.mixed[name] && len(w.mixed) < maxMixed {
			w.mixed[name] = true
			resources = append(resources, resource)
		}
	}
	return resources
}
