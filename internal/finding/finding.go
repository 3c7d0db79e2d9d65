// Package finding puts together what a person needs to know of a leak, from the metrics
// alone that flag it: where, since when and in which version, how much, what kind of
// mistake, when it becomes a problem, and which version ended it.
//
// A Book takes points in any order, from any transport, and keeps one Finding for each
// leak of a service. It is pure: time is that of the points, and when they came is passed
// to Advance. It is bounded, whatever comes.
package finding

import (
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
)

// Severity is how sure it is that something leaks.
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

// The reasons, which are those of the detector.
const (
	Left        EndReason = "left"
	Slowed      EndReason = "slowed"
	ProcessGone EndReason = "process_gone"
	NoData      EndReason = "no_data"
	Ignored     EndReason = "ignored"
	Expired     EndReason = "expired"
)

// endReasons lists them, that of processes that are gone first: it says the least, and holds
// where several are possible.
func endReasons() [6]EndReason {
	return [...]EndReason{ProcessGone, Left, Slowed, NoData, Ignored, Expired}
}

// endReason returns the reason of this name, empty if there is none.
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
	// Open findings leak.
	Open Status = "open"
	// Waiting findings leaked in processes that are gone. What took their place has not been
	// there for long enough to tell.
	Waiting Status = "waiting"
	// Closed findings are absent from a version, with certainty.
	Closed Status = "closed"
	// Over findings ended for another reason.
	Over Status = "over"
)

// Finding is one leak of one service.
type Finding struct {
	// ID is the same in all instances and versions of the service.
	ID       string
	Service  Service
	Status   Status
	Severity Severity
	// Evidence is what is known of it, in one sentence and in numbers.
	Evidence string

	// Head is the place by which the finding is known, the first of Places.
	Head   Place
	Places []Place
	Class  mistake.Class
	// Page treats goroutines in this state; relative to the root of this repository.
	Page string
	// Creators start the goroutines, and Wakers wake their healthy siblings, as far as that
	// was seen: the most frequent first, three at most.
	Creators, Wakers []Origin

	Count   float64 // goroutines
	PerHour float64 // goroutines more each hour
	Age     time.Duration
	// Exits is how many of that age have left since it was flagged, -1 if that is unknown.
	Exits float64
	// Instances is how many have the leak, of Of that there are.
	Instances, Of int
	// Worst are those with the most goroutines, five at most.
	Worst []Instance

	Began    time.Time // when they began to gather, zero if that is unknown
	Detected time.Time
	Latest   time.Time // evidence
	// FirstVersion and LastVersion are those that have shown it, empty if unknown. ClosedBy
	// is the version without it; if AtLatest, an earlier one may have been that.
	FirstVersion, LastVersion string
	// Introduced tells that an earlier version is known, which did not show it.
	Introduced bool
	ClosedBy   string
	AtLatest   bool
	// Missing is how many goroutines were to be expected at the old pace when that was said.
	Missing float64
	// Certain is in how long the absence of a finding that waits is certain, zero if that is
	// unknown.
	Certain time.Duration
	Reason  EndReason // why it ended

	Memory Memory
	Limit  Limit
	// Acquittal is what would end it, in words.
	Acquittal string
}

// Instance is one with a leak.
type Instance struct {
	Name    string
	Version string
	Count   float64
}

// ChangeKind is what happened to a finding.
type ChangeKind string

// What can happen.
const (
	Detected        ChangeKind = "detected"
	Raised          ChangeKind = "raised"
	Lowered         ChangeKind = "lowered"
	Ended           ChangeKind = "ended"
	ClosedByVersion ChangeKind = "closed_by_version"
	Regressed       ChangeKind = "regressed"
)

// Change is what happened to a finding, and how it is after that.
type Change struct {
	Kind ChangeKind
	// At is the time of the data that told it.
	At time.Time
	// Was is the severity before.
	Was     Severity
	Finding Finding
	// Text is what happened, in one sentence.
	Text string
}
