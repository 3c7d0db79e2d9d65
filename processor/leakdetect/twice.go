package leakdetect

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadata"
)

// flaggedIn returns the resources in which another leak_detect has flagged leaks, before
// this one in the pipeline or in a collector before this one; nil if there are none.
func flaggedIn(md pmetric.Metrics) map[detect.ID]bool {
	var taken map[detect.ID]bool
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			if attributes := rm.Resource().Attributes(); sm.Scope().Name() == metadata.ScopeName && identifiable(attributes, 0) {
				if taken == nil {
					taken = make(map[detect.ID]bool)
				}
				taken[identify(attributes)] = true
				break
			}
		}
	}
	return taken
}

// isTaken tells whether leaks are flagged already in a resource.
func (b *batch) isTaken(resource pcommon.Map) bool {
	return len(b.taken) > 0 && b.taken[identify(resource)]
}
