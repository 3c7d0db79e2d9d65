package finding

import (
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
)

// record is the state of a finding.
type record struct {
	ID    string `json:"id"`
	Phase phase  `json:"phase"`
	// Severity is that of the latest change.
	Severity Severity         `json:"severity"`
	Detected time.Time        `json:"detected"` // by the time of the data
	Opened   time.Time        `json:"opened"`   // latest data of any process at that time
	Began    time.Time        `json:"began"`    // when the goroutines began to gather
	Latest   time.Time        `json:"latest"`   // evidence, by the time of the data
	Seen     time.Time        `json:"seen"`     // evidence, by arrival
	Age      time.Duration    `json:"age"`      // minimum age of the leaked goroutines; 0 if unknown
	Rows     map[string]*row  `json:"rows"`
	Whole    *whole           `json:"whole,omitempty"`
	Places   map[string]Place `json:"places"`
	Groups   map[string]bool  `json:"groups"` // of the places
	// Old is the number of old goroutines in each process, by the census.
	Old      map[string]*agedCount `json:"old,omitempty"`
	Creators map[string]tally      `json:"creators,omitempty"`
	// CreatorsLeak is set if Creators are those of leaked goroutines, not of healthy siblings.
	CreatorsLeak bool `json:"creators_leak,omitempty"`
	// Reported is how much of Creators the latest change has reported.
	Reported knowledge `json:"told,omitempty"`
	// OriginsOf is the version of Creators and Wakers, 0 if unknown.
	OriginsOf int              `json:"origins_of,omitempty"`
	Wakers    map[string]tally `json:"wakers,omitempty"`
	// Class is the class of the mistake by a trace, empty if there is none.
	Class    mistake.Class     `json:"class,omitempty"`
	Pace     pace              `json:"pace"`
	Pending  exposure          `json:"pending"` // of processes that leak, not yet in Pace
	CountAt  time.Time         `json:"looked"`  // time of the latest count in Pace
	Cost     map[string]*costs `json:"cost,omitempty"`
	PastCost costs             `json:"past_cost"`

	// Leaking are the versions that have shown the leak, in order.
	Leaking []int `json:"leaking,omitempty"`
	// Held is the severity of processes that are gone, so that a deploy does not lower it.
	Held      Severity  `json:"held"`
	HeldUntil time.Time `json:"held_until"`
	// Waiting is the time since which there is no evidence, though the finding has not ended.
	Waiting time.Time `json:"waiting"`
	// Clean is the exposure of processes without the leak that are gone.
	Clean exposure `json:"clean"`
	// Delay is how long detection took in a process, and Enough the number of goroutines that had
	// leaked there by then; 0 if unknown.
	Delay    time.Duration `json:"delay"`
	Enough   float64       `json:"enough"`
	ClosedBy int           `json:"closed_by"`
	// Missing is the number of goroutines that were to be expected at the old pace when a version
	// closed the finding.
	Missing float64 `json:"missing"`
	// AtLatest is set if only several versions together make the absence certain.
	AtLatest bool      `json:"at_latest"`
	Over     time.Time `json:"over"` // when it was closed or ended, by arrival
	Reason   EndReason `json:"reason"`

	touched bool // evidence came since the last Advance
}

// phase is the phase of the life of a finding.
type phase string

const (
	unflagged phase = "" // nothing has shown it yet
	open      phase = "open"
	closed    phase = "closed" // by a version
	ended     phase = "ended"
)

// row is a finding in one process at one place.
type row struct {
	Process  string    `json:"process"`
	Place    string    `json:"place"`
	Severity sample    `json:"severity"`
	Count    sample    `json:"count"`
	Rate     sample    `json:"rate"` // goroutines an hour
	Start    sample    `json:"start"`
	Age      sample    `json:"age"`
	Exits    sample    `json:"exits"`
	Zero     time.Time `json:"zero"` // when the severity became 0
	Seeded   bool      `json:"seeded"`
}

// whole is a finding in a service as a whole.
type whole struct {
	Severity  sample    `json:"severity"`
	Count     sample    `json:"count"`
	Rate      sample    `json:"rate"`
	Instances sample    `json:"instances"`
	Seen      time.Time `json:"seen"`
	// Unseen is set if a version closed the finding while the detector still counted processes
	// that are gone. The verdict is no evidence then until the severity was 0, or the count
	// exceeds Low, the lowest since.
	Unseen bool    `json:"unseen"`
	Low    float64 `json:"low"`

	touched bool
}

func newRecord(id string) *record {
	return &record{ID: id, Rows: make(map[string]*row), Places: make(map[string]Place), Groups: make(map[string]bool)}
}

// maxPlaces and maxRows bound the state of a finding. A leak in a thousand instances has a row in
// each.
const (
	maxPlaces = 50
	maxRows   = 5000
)

// row returns the row of a process at a place, nil if there are too many.
func (r *record) row(process string, place Place) *row {
	key := place.key()
	name := digest(process, key)
	found := r.Rows[name]
	if found == nil {
		if len(r.Rows) >= maxRows {
			return nil
		}
		found = &row{Process: process, Place: r.placeKey(key)}
		r.Rows[name] = found
	}
	if _, known := r.Places[key]; !known && len(r.Places) < maxPlaces {
		r.Places[key] = place
		r.Groups[place.group()] = true
	}
	return found
}

// placeKey returns the string for key that other rows use, to store it once.
func (r *record) placeKey(key string) string {
	for known := range r.Places {
		if known == key {
			return known
		}
	}
	return key
}

// observe adds a point of the row.
func (w *row) observe(m metric, p Point) {
	switch m {
	case leakSeverity:
		before := w.Severity
		if w.Severity.set(p.At, bounded(p.Value)) && w.Severity.Value == 0 && (before.Value > 0 || !before.known()) {
			w.Zero = p.At
		}
	case leakCount:
		w.Count.set(p.At, p.Value)
	case leakRate:
		w.Rate.set(p.At, p.Value)
	case leakStart:
		w.Start.set(p.At, p.Value)
	case leakAge:
		w.Age.set(p.At, p.Value)
	case leakExits:
		w.Exits.set(p.At, p.Value)
	}
}

// observe adds a point of the service as a whole.
func (w *whole) observe(m metric, p Point) {
	w.touched = true
	switch m {
	case serviceSeverity:
		w.Severity.set(p.At, bounded(p.Value))
		w.Unseen = w.Unseen && w.Severity.Value > 0
	case serviceCount:
		if w.Count.set(p.At, p.Value) && w.Unseen {
			w.Unseen, w.Low = p.Value <= w.Low, min(p.Value, w.Low)
		}
	case serviceRate:
		w.Rate.set(p.At, p.Value)
	case serviceInstances:
		w.Instances.set(p.At, p.Value)
	}
}

// bounded clamps a number to the range of severities.
func bounded(severity float64) float64 {
	return float64(Severity(min(max(severity, 0), float64(Confirmed))))
}

// shows reports whether the verdict is evidence of the leak. The detector keeps a severity above 0
// for a while after all goroutines are gone.
func (w *whole) shows() bool {
	return w != nil && !w.Unseen && w.Severity.Value > 0 && !w.empty()
}

// empty reports whether no instance has a goroutine of the finding.
func (w *whole) empty() bool {
	return w.Count.known() && !w.Count.At.Before(w.Severity.At) && w.Count.Value == 0
}

// shownSeverity returns the highest severity of the living processes.
func (r *record) shownSeverity() Severity {
	worst := None
	for _, w := range r.Rows {
		worst = max(worst, Severity(w.Severity.Value))
	}
	return worst
}

// liveSeverity returns the severity for which there is evidence now. The detector counts processes
// for a while after they are gone, so its count is no evidence if the census of living processes has
// no goroutine.
func (r *record) liveSeverity(s *service) Severity {
	worst := r.shownSeverity()
	if r.Whole.shows() && (worst > None || !r.absentInCensus(s)) {
		worst = max(worst, Severity(r.Whole.Severity.Value))
	}
	return worst
}

// age returns the minimum age of the leaked goroutines.
func (r *record) age() time.Duration {
	if r.Age > 0 {
		return r.Age
	}
	return defaultAge
}

// defaultAge is aged_after by default.
const defaultAge = 10 * time.Minute

func seconds(s float64) time.Duration {
	return time.Duration(min(max(s, 0), maxForecast.Seconds()) * float64(time.Second))
}

// leaks reports whether a version has shown the leak.
func (r *record) leaks(version int) bool { return slices.Contains(r.Leaking, version) }

// markLeaking adds a version to those that have shown the leak.
func (r *record) markLeaking(version int) {
	if i, found := slices.BinarySearch(r.Leaking, version); !found && version > 0 {
		r.Leaking = slices.Insert(r.Leaking, i, version)
		if len(r.Leaking) > maxVersions {
			r.Leaking = slices.Delete(r.Leaking, 1, 2) // a Finding has the first and the last
		}
	}
}

// removeProcess deletes the rows of a process that is gone, and keeps its severity and exposure.
func (r *record) removeProcess(name string, p *process, now time.Time) {
	for key, w := range r.Rows {
		if w.Process != name {
			continue
		}
		if severity := Severity(w.Severity.Value); severity >= r.Held && severity > None {
			r.Held, r.HeldUntil = severity, now.Add(holdTime)
		}
		delete(r.Rows, key)
	}
	if r.Phase == open && p.Version > 0 && !r.leaks(p.Version) {
		r.Clean = r.Clean.plus(exposureOf(p, r.age()))
	}
	for key, o := range r.Old {
		if o.Process == name {
			delete(r.Old, key)
		}
	}
	delete(r.Pace.High, name)
	if cost := r.Cost[name]; cost != nil {
		r.PastCost.merge(cost)
		delete(r.Cost, name)
	}
}

// holdTime is how long a finding keeps the severity of a process that is gone.
const holdTime = 24 * time.Hour
