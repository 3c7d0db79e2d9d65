// Package finding turns the metrics that flag a leak into what a person needs to know about it:
// where it is, since when and in which version, how large it is, what kind of mistake it is,
// when it becomes a problem, and which version ended it.
//
// A Tracker accepts points in any order and from any transport, and has one Finding for each leak
// of a service. It is pure: points carry the time of the data, and Advance receives the time of
// their arrival. Its memory is bounded for any input.
package finding

import (
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
)

// Severity is how certain a leak is.
type Severity int

// The severities.
const (
	None Severity = iota
	Suspected
	Probable
	Confirmed
)

func (s Severity) String() string {
	switch s {
	case Suspected:
		return "suspected"
	case Probable:
		return "probable"
	case Confirmed:
		return "confirmed"
	default:
		return "none"
	}
}

// EndReason is why a finding ended.
type EndReason string

// The reasons are those of the detector.
const (
	Left        EndReason = "left"
	Slowed      EndReason = "slowed"
	ProcessGone EndReason = "process_gone"
	NoData      EndReason = "no_data"
	Ignored     EndReason = "ignored"
	Expired     EndReason = "expired"
)

// endReasons returns all reasons in order of preference. ProcessGone comes first, since it
// claims the least.
func endReasons() [6]EndReason {
	return [...]EndReason{ProcessGone, Left, Slowed, NoData, Ignored, Expired}
}

// endReason returns the reason with a name, or an empty one.
func endReason(name string) EndReason {
	for _, r := range endReasons() {
		if string(r) == name {
			return r
		}
	}
	return ""
}

// Status is where a finding is in its life.
type Status string

const (
	// Open findings leak now.
	Open Status = "open"
	// Waiting findings leaked in processes that are gone. The processes that replaced them have
	// not run for long enough to tell.
	Waiting Status = "waiting"
	// Closed findings are certainly absent from a version.
	Closed Status = "closed"
	// Over findings ended for a reason other than a version.
	Over Status = "over"
)

// Finding is one leak of one service.
type Finding struct {
	// ID is the same in all instances and versions of the service.
	ID       string
	Service  Service
	Status   Status
	Severity Severity
	// Evidence is the evidence in numbers, in one sentence.
	Evidence string

	// Head is the first of Places. The finding is named after it.
	Head   Place
	Places []Place
	Class  mistake.Class
	// Page is the page about goroutines in this state, relative to the root of this repository.
	Page string
	// Creators are the lines that start the goroutines, and Wakers those that wake their healthy
	// siblings, as far as traces have shown them: the most frequent first, three at most.
	Creators, Wakers []Origin

	// Count is the number of goroutines that have gathered since the growth began, and InAll that of
	// all old ones there, including earlier ones; 0 if unknown.
	Count, InAll float64
	PerHour      float64 // goroutines more each hour
	Age          time.Duration
	// Exits is the number of goroutines of that age that have left since the leak was flagged,
	// -1 if unknown.
	Exits float64
	// Instances is the number of instances with the leak, and Of the number of all instances.
	Instances, Of int
	// Worst are the instances with the most goroutines, five at most.
	Worst []Instance

	Began    time.Time // when goroutines began to gather, zero if unknown
	Detected time.Time
	Latest   time.Time // evidence
	// FirstVersion and LastVersion are the first and last version that have shown the leak, empty
	// if unknown. ClosedBy is the version that closed it. If AtLatest is set, an earlier version
	// may have.
	FirstVersion, LastVersion string
	// Introduced is set if a version before FirstVersion is known that did not have the leak.
	Introduced bool
	ClosedBy   string
	AtLatest   bool
	// Missing is the number of goroutines that were to be expected at the old pace when ClosedBy
	// closed the leak.
	Missing float64
	// Certain is the time after which the absence of a waiting finding is certain, zero if
	// unknown.
	Certain time.Duration
	Reason  EndReason

	Memory Memory
	Limit  Limit
	// Acquittal is what would end the finding, in words.
	Acquittal string
}

// Instance is an instance with a leak.
type Instance struct {
	Name    string
	Version string
	Count   float64
}

// ChangeKind is what happened to a finding.
type ChangeKind string

// The kinds.
const (
	Detected ChangeKind = "detected"
	Raised   ChangeKind = "raised"
	Lowered  ChangeKind = "lowered"
	// Explained is sent when creators become known after the finding was detected.
	Explained       ChangeKind = "explained"
	Ended           ChangeKind = "ended"
	ClosedByVersion ChangeKind = "closed_by_version"
	Regressed       ChangeKind = "regressed"
)

// Change is a change of a finding, with the finding after it.
type Change struct {
	Kind ChangeKind
	// At is the time of the data that showed the change.
	At time.Time
	// Was is the severity before.
	Was     Severity
	Finding Finding
	// Text describes the change in one sentence.
	Text string
}
