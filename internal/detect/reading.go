// Package detect decides which groups of goroutines leak, from metrics.
//
// Readings arrive in any order and grouping. They are joined to observations, in the order of
// their timestamps (scrape.go); missing parts are unknown. Each observation is evidence at
// several age levels (group.go), which package growth assesses. A signature and the entry of its
// goroutines are one finding (join.go), as are groups whose goroutines arrive together
// (companions.go). A flag ends under the identity under which it was reported (show.go). The
// instances of a service are also judged together (service.go, servicegroup.go, lives.go).
//
// The package uses neither a clock nor a collector: the same readings give the same verdicts.
package detect

import (
	"math"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// ID identifies a process or a group. It is a hash: among 100,000 groups the probability of a
// collision of 64 bits is 3e-10, and then both are judged as one. 128 bits would cost some 15
// bytes a group.
type ID uint64

// Kind is what a group consists of.
type Kind uint8

// Kinds of groups.
const (
	Stack  Kind = iota // goroutines of one signature
	Entry              // goroutines with one entry function
	Total              // all goroutines of a process
	Memory             // bytes
	kindCount
)

// Rank is the kind of code that a group is in.
type Rank uint8

// Ranks.
const (
	OwnCode  Rank = iota
	Module        // a dependency
	Standard      // the standard library
)

// Part is which number of an observation a reading is.
type Part uint8

// Parts of an observation.
const (
	Count  Part = iota
	Aged        // goroutines in an age band now
	Exits       // goroutines that exited from an age band
	Leaked      // goroutines in the runtime's leak profile
	partCount
)

// Reading is one number of one group at one time.
type Reading struct {
	// Process is the identity of the resource.
	Process ID
	// Group is the identity of the group, unique over all processes and kinds.
	Group ID
	// Entry is the group of the entry of a signature; 0 if unknown.
	Entry ID
	// Service is the identity of the service of the process, and ServiceGroup that of the
	// group in it, which replicas and versions share. At least one reading of an
	// observation must have them. If Service is 0, the group is judged only by itself. If
	// ServiceGroup is 0, Group identifies its leak.
	Service, ServiceGroup ID
	// Rules are the rules for this process and kind of metric. The MinDuration of a group
	// must not change.
	Rules *growth.Rules

	// At is the time of the data, and Start that of the process or of its watcher, Unix ns.
	// Start is 0 if unknown.
	At, Start int64
	Value     float64
	// Band is the lower bound of the age band of Aged and Exits. The bands are disjoint. It
	// is 0 if the sender has only one.
	Band time.Duration

	Kind Kind
	Part Part
	// Rank is the kind of code that the goroutines are in, if ServiceGroup is known. If a
	// leak shows in several groups, the lowest rank becomes its head.
	Rank  Rank
	Delta bool // Value is the exits since the previous reading
	// Rest marks the sum of the groups above the sender's limit. Its members change, so it
	// is not judged.
	Rest bool
	// HeldByPeer reports whether the goroutines wait for the other end of a connection.
	HeldByPeer bool
	// Ignored reports whether the user has excluded the group.
	Ignored bool
}

// Reason is why a reading was refused.
type Reason string

// Reasons.
const (
	OK           Reason = ""
	BadValue     Reason = "out_of_range" // not a number, negative, or absurdly large
	BadTimestamp Reason = "timestamp"    // missing, or absurdly late
	BadJump      Reason = "jump"         // far from the previous one of its process, and not confirmed yet
	BadBand      Reason = "band"         // negative, or more bands than a group may have
	OutOfOrder   Reason = "out_of_order" // not later than the latest judged observation
	Incomplete   Reason = "incomplete"   // aged goroutines without exits
)

// maxValue is the largest accepted value: integers are exact up to it, and there are neither so many
// goroutines nor so many bytes.
const maxValue = 1 << 53

// maxTimestamp, in the year 2106, is small enough that adding any horizon cannot overflow.
const maxTimestamp = 1 << 32 * int64(time.Second)

// check returns why a reading is invalid by itself. It also clears a meaningless Start: one after At,
// or of a delta, which is the end of the previous interval.
func (r *Reading) check() Reason {
	switch {
	case r.At <= 0 || r.At >= maxTimestamp:
		return BadTimestamp
	case !(r.Value >= 0 && r.Value <= maxValue), math.IsNaN(r.Value):
		return BadValue
	case r.Band < 0, r.Kind >= kindCount, r.Part >= partCount:
		return BadBand
	}
	if r.Delta || r.Start < 0 || r.Start > r.At {
		r.Start = 0
	}
	return OK
}

// isNear reports whether two times are at most limit apart, all in ns.
func isNear(a, b, limit int64) bool { return max(a, b)-min(a, b) <= limit }

// seconds is a Unix time before the year 2106.
type seconds uint32

func toSeconds(ns int64) seconds { return seconds(ns / int64(time.Second)) }

func (s seconds) ns() int64 { return int64(s) * int64(time.Second) }
