package leakdetect

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadata"
)

// flaggedIn returns the resources in which another leak_detect has flagged leaks, earlier in the
// pipeline or in the sending collector. It returns nil if there are none.
func flaggedIn(md pmetric.Metrics) map[detect.ID]bool {
	var flagged map[detect.ID]bool
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			if attributes := rm.Resource().Attributes(); sm.Scope().Name() == metadata.ScopeName && identifiable(attributes, 0) {
				if flagged == nil {
					flagged = make(map[detect.ID]bool)
				}
				flagged[identify(attributes)] = true
				break
			}
		}
	}
	return flagged
}

// isAlreadyFlagged reports whether another leak_detect has flagged leaks in a resource.
func (b *batch) isAlreadyFlagged(resource pcommon.Map) bool {
	return len(b.alreadyFlagged) > 0 && b.alreadyFlagged[identify(resource)]
}
