package leakdetect

import (
	"encoding/binary"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatautil"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// id tells resources, and streams, apart. It is a hash: among 100,000 streams the
// probability that any two share their 64 bits is 3e-10, and two that do are judged
// as one. Twice as many bits would cost each stream some 15 bytes.
type id uint64

// identify returns the id of an attribute set.
func identify(m pcommon.Map) id {
	h := pdatautil.MapHash(m)
	return id(binary.LittleEndian.Uint64(h[:8]))
}

// identifyText returns the id of a text, of which there may be much.
func identifyText(text string) id { return id(xxhash.Sum64String(text)) }

// mix is an odd number without a pattern, so that multiplying by it loses nothing and
// mixes the bits: the golden ratio's first 64 bits.
const mix = 0x9e3779b97f4a7c15

// stream returns the id of a stream of this resource. The resource's hash is
// multiplied before the point's is added, or a resource and a point that swapped
// their attributes would be the same stream.
func (r id) stream(salt uint64, attributes id) id {
	return (r^id(salt))*mix + attributes
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

// entryPoint returns the attributes of the point that its entry has, of those of a
// signature's.
func entryPoint(signature pcommon.Map) (pcommon.Map, bool) {
	point := pcommon.NewMap()
	for _, key := range []string{telemetry.AttrEntry, strings.ReplaceAll(telemetry.AttrEntry, ".", "_")} {
		if entry, ok := signature.Get(key); ok {
			entry.CopyTo(point.PutEmpty(key))
			return point, true
		}
	}
	return point, false
}

// isRest tells the row under which the groups beyond the sender's limit are
// summed. Which groups those are changes, so its growth means nothing.
func isRest(f family, m pcommon.Map) bool {
	switch f {
	case stackFamily:
		return valueOf(m, telemetry.AttrSignature) == telemetry.SignatureOther
	case entryFamily:
		return valueOf(m, telemetry.AttrEntry) == telemetry.SignatureOther
	default:
		return false
	}
}
