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

// attributes is what the attributes of a point tell. They are read in one pass, which
// allocates nothing: most of the time of a batch goes into it.
type attributes struct {
	set    detect.ID // of all that identify the group
	entry  detect.ID // of the entry alone, as its own points have it; 0 if there is none
	band   time.Duration
	hasAge bool
	values [roles]string
}

// role is what an attribute tells, if it tells anything but whom the point is about.
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
	roles
)

// keyRole is the role of a key. A dotted key counts for more than what Prometheus makes of it.
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

func rolesOfKeys(of map[string]role) map[string]keyRole {
	all := make(map[string]keyRole, 2*len(of))
	for key, role := range of {
		names := bothNames(key)
		all[names[0]], all[names[1]] = keyRole{role, true}, keyRole{role, false}
	}
	return all
}

// readAttributes reads those of a point of a watched metric; false if they are too many to be
// identified. The age band of old goroutines is no part of their group, nor is the file of an
// entry, since a signature does not tell it. A band that cannot be read is none, which detect
// refuses.
func readAttributes(w watched, m pcommon.Map) (a attributes, ok bool) {
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
			a.values[is.role] = text(v)
			if is.role == roleEntry {
				a.entry = hash
			}
		}
	}
	return a, true
}

// hashPair hashes one attribute. The hashes of a set are added, so that its order does not
// matter and it need not be sorted. So each has to look random by itself.
func hashPair(key string, v pcommon.Value) detect.ID {
	var value uint64
	switch v.Type() {
	case pcommon.ValueTypeStr:
		value = xxhash.Sum64String(v.Str())
	case pcommon.ValueTypeInt:
		value = uint64(v.Int())
	case pcommon.ValueTypeDouble:
		value = math.Float64bits(v.Double()) ^ mix
	default:
		hash := pdatautil.ValueHash(v)
		value = binary.LittleEndian.Uint64(hash[:8])
	}
	return detect.ID(scramble(xxhash.Sum64String(key)*mix + value))
}

// scramble has every bit depend on every other, and loses nothing: the end of MurmurHash3.
func scramble(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

func text(v pcommon.Value) string {
	if v.Type() == pcommon.ValueTypeStr {
		return v.Str()
	}
	return v.AsString()
}

// maxBand is the largest age that is read: a hundred years.
const maxBand = 100 * 365 * 24 * 3600

// ageOf returns the lower bound of an age band, -1 if it cannot be read.
func ageOf(v pcommon.Value) time.Duration {
	age := -1.0
	switch v.Type() {
	case pcommon.ValueTypeDouble:
		age = v.Double()
	case pcommon.ValueTypeInt:
		age = float64(v.Int())
	case pcommon.ValueTypeStr: // of Prometheus
		age = parseAge(v.Str())
	}
	if age >= 0 && age <= maxBand {
		return time.Duration(age * float64(time.Second))
	}
	return -1
}

// parseAge reads an age as Prometheus writes it; -1 if it is none.
func parseAge(text string) float64 {
	age, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return -1
	}
	return age
}

// isRest tells the row under which the groups beyond the sender's limit are
// summed. Which groups those are changes, so its growth means nothing.
func (a *attributes) isRest(kind detect.Kind) bool {
	switch kind {
	case detect.Stack:
		return a.values[roleSignature] == telemetry.SignatureOther
	case detect.Entry:
		return a.values[roleEntry] == telemetry.SignatureOther
	default:
		return false
	}
}

// finding returns the identity that a leak of the group has in a service: not by the line, so
// that it survives a deploy.
func (a *attributes) finding(service detect.ID, kind detect.Kind) detect.ID {
	return detect.FindingID(service, kind, a.values[roleState], a.values[roleFunction], a.values[roleEntry])
}

// rank returns whose code the group is in.
func (a *attributes) rank() detect.Rank {
	return detect.RankOf(a.values[roleFile], a.values[roleFunction])
}
