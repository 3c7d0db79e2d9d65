package page

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
)

// Config configures an Aggregator.
type Config struct {
	Findings finding.Config
	History  history.Config
	Detector Detector
}

// Aggregator aggregates points and origins into a Site. It is safe for concurrent use.
type Aggregator struct {
	detector Detector
	reads    func(metric string) bool

	mu      sync.Mutex
	tracker *finding.Tracker
	history *history.History
	swept   time.Time
	last    time.Time // arrival of the latest batch
	site    *Site     // cached
	siteAt  time.Time
	stale   bool          // data came since siteAt
	changed chan struct{} // closed when data comes
}

// NewAggregator returns an empty Aggregator.
func NewAggregator(c Config) *Aggregator {
	tracker, past := finding.NewTracker(c.Findings), history.New(c.History)
	return &Aggregator{
		detector: c.Detector.orDefaults(),
		reads:    func(metric string) bool { return tracker.Reads(metric) || past.Reads(metric) },
		tracker:  tracker,
		history:  past,
		changed:  make(chan struct{}),
		stale:    true,
	}
}

// Reads reports whether the Aggregator uses the metric with this name. It may be called within
// ObserveBatch.
func (a *Aggregator) Reads(metric string) bool { return a.reads(metric) }

// sweepInterval is the time between two deletions of old data.
const sweepInterval = time.Minute

// ObserveBatch adds a batch of points that arrived at now, and returns the changes of findings.
// It calls fill once, which must call observe for each point.
func (a *Aggregator) ObserveBatch(now time.Time, fill func(observe func(finding.Point))) []finding.Change {
	a.mu.Lock()
	defer a.mu.Unlock()
	fill(func(p finding.Point) {
		a.tracker.Observe(p)
		a.history.Observe(p, now)
	})
	if now.Sub(a.swept) >= sweepInterval || now.Before(a.swept) {
		a.swept = now
		a.history.Sweep(now)
	}
	a.last = now
	a.setChanged()
	return a.tracker.Advance(now)
}

// ObserveOrigin adds an origin of a service that arrived at now.
func (a *Aggregator) ObserveOrigin(service finding.Service, o history.Origin, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.history.ObserveOrigin(service, o, now)
	a.setChanged()
}

func (a *Aggregator) setChanged() {
	a.stale = true
	close(a.changed)
	a.changed = make(chan struct{})
}

// Changed returns a channel that is closed when data comes.
func (a *Aggregator) Changed() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.changed
}

// Dropped returns the number of points dropped so far: those with an impossible number or time,
// and those beyond the limits.
func (a *Aggregator) Dropped() (invalid, beyond int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f, h := a.tracker.Dropped(), a.history.Dropped()
	return max(f.Invalid, h.Invalid), max(f.Beyond, h.Beyond)
}

// IsUnjudged reports whether goroutines are shown as of now that no detector has ever reported on.
func (a *Aggregator) IsUnjudged(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.history.IsUnjudged(now, verdictInterval)
}

// Size returns the number of findings in the state.
func (a *Aggregator) Size() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	findings, _ := a.tracker.Size()
	return findings
}

// siteInterval is the minimum time between two updates of the Site.
const siteInterval = time.Second

// Site returns the Site as of now, at most siteInterval old. It must not be modified.
func (a *Aggregator) Site(now time.Time) *Site {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.site != nil && (!a.stale || now.Sub(a.siteAt) < siteInterval && !now.Before(a.siteAt)) {
		return a.site
	}
	site := &Site{At: a.last, Detector: a.detector, Services: a.history.Services()}
	for _, f := range a.tracker.Findings() {
		site.Findings = append(site.Findings, Finding{
			Finding:  f,
			Chart:    a.history.Chart(f.Service, f.Places),
			Origins:  a.history.Origins(f.Service, f.Places),
			Versions: a.tracker.Versions(f.Service),
		})
	}
	a.site, a.siteAt, a.stale = site, now, false
	return site
}

// stateVersion changes with the fields of the state, and with their meaning.
const stateVersion = 2

// savedState is the saved state of an Aggregator.
type savedState struct {
	Version       int
	Last          time.Time
	Book, History []byte // Book has the findings; field names are part of the format
}

// ErrState is returned by UnmarshalBinary for data that is not a state.
var ErrState = errors.New("not a state of a page")

// MarshalBinary returns the state of the Aggregator.
func (a *Aggregator) MarshalBinary() ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	findings, err := a.tracker.MarshalBinary()
	if err != nil {
		return nil, err
	}
	past, err := a.history.MarshalBinary()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = gob.NewEncoder(&b).Encode(savedState{stateVersion, a.last, findings, past})
	return b.Bytes(), err
}

// UnmarshalBinary replaces the state of the Aggregator. On error the Aggregator is unchanged.
func (a *Aggregator) UnmarshalBinary(data []byte) error {
	var saved savedState
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&saved); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	if saved.Version != stateVersion {
		return fmt.Errorf("%w: version %d, not %d", ErrState, saved.Version, stateVersion)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	past := a.history.Empty()
	if err := past.UnmarshalBinary(saved.History); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	if err := a.tracker.UnmarshalBinary(saved.Book); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	a.history, a.last = past, saved.Last
	a.setChanged()
	return nil
}
