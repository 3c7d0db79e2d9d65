// Package detect decides which groups of goroutines leak, from the numbers that are
// sent of them.
//
// Readings come in any order, grouping and time. They are put together to
// observations, in the order of the data's own time (scrape.go); what has not come is
// unknown. Each observation is evidence at several age levels (group.go), which package
// growth judges. A signature and the entry of its goroutines are one finding
// (join.go), as are groups that come together (companions.go), and what was shown of it last
// is ended where it was shown (show.go). The instances of a service are judged together
// as well (service.go; pool.go has what is remembered of them, lives.go what is added up).
//
// The package knows neither a clock nor a collector: the same readings give the same
// verdicts.
package detect

import (
	"math"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// ID tells processes, and groups, apart. It is a hash: among 100,000 groups the
// probability that any two share their 64 bits is 3e-10, and two that do are judged as
// one. Twice as many bits would cost each group some 15 bytes.
type ID uint64

// Kind is what a group is a group of.
type Kind uint8

// The kinds of groups.
const (
	Stack  Kind = iota // goroutines of one signature
	Entry              // goroutines that were started with one function
	Total              // all goroutines of a process
	Memory             // bytes
	kinds
)

// Rank is whose code it is.
type Rank uint8

// The ranks.
const (
	OwnCode  Rank = iota
	Module        // that the service depends on
	Standard      // the standard library
)

// Part is one of the numbers that make an observation.
type Part uint8

// The parts of an observation.
const (
	Count  Part = iota
	Aged        // how many are in an age band now
	Exits       // how many have left from an age band
	Leaked      // how many the runtime's leak profile names
	partsEnd
)

// Reading is one number of one group at one time, as it came.
type Reading struct {
	// Process is the identity of the resource.
	Process ID
	// Group is the identity of the group, of all processes and kinds.
	Group ID
	// Entry is the group of the entry that the goroutines of a signature were
	// started with. 0 is unknown.
	Entry ID
	// Service is the identity of the service that the process is an instance of, and
	// ServiceGroup that of the group in it, which replicas and versions have in common. Of
	// the readings of an observation one needs to have them. If Service is 0 the group is judged
	// by itself alone. If ServiceGroup is 0, its leak is known by Group.
	Service, ServiceGroup ID
	// Rules are those of this process and kind of metric. Those of one group have
	// one MinDuration for as long as it is known.
	Rules *growth.Rules

	// At is the time of the data, and Start that of the process or of whoever
	// watches it, Unix ns. A Start of 0 is unknown.
	At, Start int64
	Value     float64
	// Band is the lower bound of the age band that Aged and Exits are about. The
	// bands are disjoint. 0 is that of a sender which has only one.
	Band time.Duration

	Kind Kind
	Part Part
	// Rank says whose code the goroutines are in, where ServiceGroup is known. A leak that
	// shows in several groups is called by the first.
	Rank  Rank
	Delta bool // Exits are those since the reading before
	// Rest is the row under which the groups beyond the sender's limit are
	// summed. Its members change, so nothing can be said of it.
	Rest bool
	// HeldByPeer tells that the goroutines wait for the other end of a connection.
	HeldByPeer bool
	// Ignored tells that the user does not want to be told of the group.
	Ignored bool
}

// Reason is why a reading could not be judged.
type Reason string

// The reasons that there are.
const (
	Fine         Reason = ""
	BadValue     Reason = "out_of_range" // not a number, negative, or absurdly large
	BadTimestamp Reason = "timestamp"    // none, or absurdly late
	BadJump      Reason = "jump"         // far from the last of its process, and not confirmed yet
	BadBand      Reason = "band"         // a negative age, or more bands than a group may have
	OutOfOrder   Reason = "out_of_order" // not later than what was judged already
	Incomplete   Reason = "incomplete"   // an observation of aged goroutines without exits
)

// maxValue is the largest number that is judged: up to there integers are exact, and
// there are neither so many goroutines nor so many bytes.
const maxValue = 1 << 53

// maxTimestamp, in the year 2106, is far enough from the end of 64 bits that adding any
// horizon to it cannot overflow.
const maxTimestamp = 1 << 32 * int64(time.Second)

// check returns what is wrong with a reading by itself. It also forgets what cannot be
// meant: no process starts after it was observed, and the start of a delta is the end
// of the one before.
func (r *Reading) check() Reason {
	switch {
	case r.At <= 0 || r.At >= maxTimestamp:
		return BadTimestamp
	case !(r.Value >= 0 && r.Value <= maxValue), math.IsNaN(r.Value):
		return BadValue
	case r.Band < 0, r.Kind >= kinds, r.Part >= partsEnd:
		return BadBand
	}
	if r.Delta || r.Start < 0 || r.Start > r.At {
		r.Start = 0
	}
	return Fine
}

// near tells whether two times are at most limit apart, all in ns.
func near(a, b, limit int64) bool { return max(a, b)-min(a, b) <= limit }

// seconds is a Unix time, before the year 2106 as all that are believed.
type seconds uint32

func inSeconds(ns int64) seconds { return seconds(ns / int64(time.Second)) }

func (s seconds) ns() int64 { return int64(s) * int64(time.Second) }
