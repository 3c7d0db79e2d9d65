package leakdetect

import (
	"encoding/binary"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatautil"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// identify returns the ID of an attribute set.
func identify(m pcommon.Map) detect.ID {
	h := pdatautil.MapHash(m)
	return detect.ID(binary.LittleEndian.Uint64(h[:8]))
}

// goldenRatio has the first 64 bits of the golden ratio. Multiplication by it mixes bits, and is a
// bijection since it is odd.
const goldenRatio = 0x9e3779b97f4a7c15

// groupOf returns the ID of a group of a resource. The hash of the resource is multiplied before
// the hash of the point is added: otherwise a resource and a point that swap their attributes would
// be the same group.
func groupOf(resource detect.ID, salt uint64, attributes detect.ID) detect.ID {
	return (resource^detect.ID(salt))*goldenRatio + attributes
}

// Limits of identifiable attribute sets. Sorting and hashing takes quadratic time, so untrusted
// senders must not choose the size. OpenTelemetry recommends a limit of 128 to SDKs.
const (
	maxAttributes = 128
	maxDepth      = 4
)

// identifiable reports whether an attribute set is within the limits.
func identifiable(m pcommon.Map, depth int) bool {
	if m.Len() > maxAttributes || depth > maxDepth {
		return false
	}
	for _, v := range m.All() {
		if !identifiableValue(v, depth) {
			return false
		}
	}
	return true
}

func identifiableValue(v pcommon.Value, depth int) bool {
	switch v.Type() {
	case pcommon.ValueTypeMap:
		return identifiable(v.Map(), depth+1)
	case pcommon.ValueTypeSlice:
		return identifiableSlice(v.Slice(), depth+1)
	default:
		return true
	}
}

func identifiableSlice(s pcommon.Slice, depth int) bool {
	if depth > maxDepth {
		return false
	}
	for _, v := range s.All() {
		if !identifiableValue(v, depth) {
			return false
		}
	}
	return true
}

// valueOf returns the value of an attribute as a string, by its key or its Prometheus spelling. It
// returns "" if the attribute is absent.
func valueOf(m pcommon.Map, key string) string {
	if v, ok := m.Get(key); ok {
		return v.AsString()
	}
	if v, ok := m.Get(strings.ReplaceAll(key, ".", "_")); ok {
		return v.AsString()
	}
	return ""
}

// serviceAttributes identify a service. Replicas and versions have the same, so instance, pod, host
// and version are not among them.
var serviceAttributes = [...]string{
	"service.namespace", "service.name", environment, "k8s.cluster.name", "k8s.namespace.name",
}

// The attribute of the environment, and its name before semantic conventions 1.27.
const environment, formerEnvironment = "deployment.environment.name", "deployment.environment"

// serviceOf returns the attributes of a resource that identify its service. It returns false if the
// resource has no service name.
func serviceOf(resource pcommon.Map) (pcommon.Map, bool) {
	service := pcommon.NewMap()
	if valueOf(resource, "service.name") == "" {
		return service, false
	}
	for _, key := range serviceAttributes {
		if value := valueOf(resource, key); value != "" {
			service.PutStr(key, value)
		}
	}
	if value := valueOf(resource, formerEnvironment); value != "" && valueOf(resource, environment) == "" {
		service.PutStr(environment, value)
	}
	return service, true
}

// findingAttributes identify a finding. The line is not among them, so that a finding survives a
// deploy.
var findingAttributes = [...]string{telemetry.AttrState, telemetry.AttrFunction, telemetry.AttrEntry}
