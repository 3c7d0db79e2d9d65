package leakdetect

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatautil"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// attributes are the parsed attributes of a point. They are read in one pass without allocations,
// since this takes most of the time of a batch.
type attributes struct {
	set    detect.ID // of all attributes that identify the group
	entry  detect.ID // of the entry attribute, as in the points of the entry; 0 if absent
	band   time.Duration
	hasAge bool
	values [numRoles]string
}

// role is the meaning of an attribute, beyond identifying the group.
type role uint8

const (
	noRole role = iota
	roleSignature
	roleState
	roleFunction
	roleFile
	roleEntry
	roleEntryFile
	roleAge
	numRoles
)

// keyRole is the role of a key. A dotted key takes precedence over its Prometheus spelling.
type keyRole struct {
	role   role
	dotted bool
}

var keyRoles = rolesOfKeys(map[string]role{
	telemetry.AttrSignature: roleSignature,
	telemetry.AttrState:     roleState,
	telemetry.AttrFunction:  roleFunction,
	telemetry.AttrFile:      roleFile,
	telemetry.AttrEntry:     roleEntry,
	telemetry.AttrEntryFile: roleEntryFile,
	telemetry.AttrAgeMin:    roleAge,
})

func rolesOfKeys(roles map[string]role) map[string]keyRole {
	all := make(map[string]keyRole, 2*len(roles))
	for key, role := range roles {
		names := spellings(key)
		all[names[0]], all[names[1]] = keyRole{role, true}, keyRole{role, false}
	}
	return all
}

// readAttributes parses the attributes of a point of a watched metric. It returns false if they
// exceed the limits of identifiable. The age band is not part of the identity of a group, nor is
// the file of an entry, which signatures do not have. An invalid band is -1, which detect refuses.
func readAttributes(w watchedMetric, m pcommon.Map) (a attributes, ok bool) {
	if m.Len() > maxAttributes {
		return a, false
	}
	banded := w.part == detect.Aged || w.part == detect.Exits
	for key, v := range m.All() {
		if !identifiableValue(v, 0) {
			return a, false
		}
		is := keyRoles[key]
		switch {
		case is.role == roleAge && banded:
			if is.dotted || !a.hasAge {
				a.band, a.hasAge = ageOf(v), true
			}
			continue
		case is.role == roleEntryFile && w.kind == detect.Entry:
			continue
		}
		hash := hashPair(key, v)
		a.set += hash
		if is.role != noRole && (is.dotted || a.values[is.role] == "") {
			a.values[is.role] = stringOf(v)
			if is.role == roleEntry {
				a.entry = hash
			}
		}
	}
	return a, true
}

// hashPair hashes an attribute. The hash of a set is the sum of the hashes of its attributes, so
// that it need not be sorted. Therefore each hash must look random by itself.
func hashPair(key string, v pcommon.Value) detect.ID {
	var value uint64
	switch v.Type() {
	case pcommon.ValueTypeStr:
		value = xxhash.Sum64String(v.Str())
	case pcommon.ValueTypeInt:
		value = uint64(v.Int())
	case pcommon.ValueTypeDouble:
		value = math.Float64bits(v.Double()) ^ goldenRatio
	default:
		hash := pdatautil.ValueHash(v)
		value = binary.LittleEndian.Uint64(hash[:8])
	}
	return detect.ID(mixBits(xxhash.Sum64String(key)*goldenRatio + value))
}

// mixBits is the finalizer of MurmurHash3, a bijection in which each input bit affects all output
// bits.
func mixBits(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

func stringOf(v pcommon.Value) string {
	if v.Type() == pcommon.ValueTypeStr {
		return v.Str()
	}
	return v.AsString()
}

// maxBand is the maximum age in seconds: a hundred years.
const maxBand = 100 * 365 * 24 * 3600

// ageOf returns the lower bound of an age band, or -1 if it is invalid.
func ageOf(v pcommon.Value) time.Duration {
	age := -1.0
	switch v.Type() {
	case pcommon.ValueTypeDouble:
		age = v.Double()
	case pcommon.ValueTypeInt:
		age = float64(v.Int())
	case pcommon.ValueTypeStr: // from Prometheus
		age = parseAge(v.Str())
	}
	if age >= 0 && age <= maxBand {
		return time.Duration(age * float64(time.Second))
	}
	return -1
}

// parseAge parses an age from a label of Prometheus. It returns -1 if the age is invalid.
func parseAge(text string) float64 {
	age, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return -1
	}
	return age
}

// isOther reports whether the point is the sum of the groups beyond the sender's limit. Which
// groups these are changes, so their growth is no evidence.
func (a *attributes) isOther(kind detect.Kind) bool {
	switch kind {
	case detect.Stack:
		return a.values[roleSignature] == telemetry.SignatureOther
	case detect.Entry:
		return a.values[roleEntry] == telemetry.SignatureOther
	default:
		return false
	}
}

// findingID returns the identity of a leak of the group in a service. It does not depend on the
// line, so that it survives a deploy.
func (a *attributes) findingID(service detect.ID, kind detect.Kind) detect.ID {
	return detect.FindingID(service, kind, a.values[roleState], a.values[roleFunction], a.values[roleEntry])
}

// rank returns the owner of the code of the group.
func (a *attributes) rank() detect.Rank {
	return detect.RankOf(a.values[roleFile], a.values[roleFunction])
}
