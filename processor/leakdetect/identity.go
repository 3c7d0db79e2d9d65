package leakdetect

import (
	"encoding/binary"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatautil"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// identify returns the id of an attribute set.
func identify(m pcommon.Map) detect.ID {
	h := pdatautil.MapHash(m)
	return detect.ID(binary.LittleEndian.Uint64(h[:8]))
}

// mix is an odd number without a pattern, so that multiplying by it loses nothing and
// mixes the bits: the golden ratio's first 64 bits.
const mix = 0x9e3779b97f4a7c15

// groupOf returns the identity of a group of a resource. The resource's hash is
// multiplied before the point's is added, or a resource and a point that swapped
// their attributes would be the same group.
func groupOf(resource detect.ID, salt uint64, attributes detect.ID) detect.ID {
	return (resource^detect.ID(salt))*mix + attributes
}

// The limits of attribute sets that are identified. Sorting and hashing them
// takes time in the square of their number, which a sender of untrusted data
// must not be able to choose. The OpenTelemetry specification recommends 128 as
// limit to SDKs.
const (
	maxAttributes = 128
	maxDepth      = 4
)

// identifiable tells whether an attribute set is within the limits.
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

// valueOf returns the value of an attribute as a string, by its own key or by
// what a Prometheus exporter makes of it; empty if there is none.
func valueOf(m pcommon.Map, key string) string {
	if v, ok := m.Get(key); ok {
		return v.AsString()
	}
	if v, ok := m.Get(strings.ReplaceAll(key, ".", "_")); ok {
		return v.AsString()
	}
	return ""
}

// serviceAttributes are those by which replicas and successive versions of a service are
// known: not the instance, pod, host or version.
var serviceAttributes = [...]string{
	"service.namespace", "service.name", environment, "k8s.cluster.name", "k8s.namespace.name",
}

// The name of the environment, and the one that it had before semantic conventions 1.27.
const environment, formerEnvironment = "deployment.environment.name", "deployment.environment"

// serviceOf returns the attributes of the service of a resource; false if it has no name.
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

// findingAttributes are those of a group by which a finding is known: not the line, so that
// it survives a deploy.
var findingAttributes = [...]string{telemetry.AttrState, telemetry.AttrFunction, telemetry.AttrEntry}
