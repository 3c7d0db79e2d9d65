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

// Config bounds a Memory, and tells how its detector judges.
type Config struct {
	Findings finding.Config
	History  history.Config
	Detector Detector
}

// Memory takes points and origins, and makes a Site of them. It is safe for concurrent use.
type Memory struct {
	detector Detector
	reads    func(metric string) bool

	mu      sync.Mutex
	book    *finding.Book
	history *history.History
	swept   time.Time
	last    time.Time // arrival
	site    *Site
	made    time.Time     // when site was made
	stale   bool          // something came since
	changed chan struct{} // closed when something comes
}

// NewMemory returns an empty Memory.
func NewMemory(c Config) *Memory {
	book, past := finding.New(c.Findings), history.New(c.History)
	return &Memory{
		detector: c.Detector.orDefaults(),
		reads:    func(metric string) bool { return book.Reads(metric) || past.Reads(metric) },
		book:     book,
		history:  past,
		changed:  make(chan struct{}),
		stale:    true,
	}
}

// Reads reports whether a metric of this name is of any use. It may be asked within a Batch.
func (m *Memory) Reads(metric string) bool { return m.reads(metric) }

// sweepInterval is how often what is too old is forgotten.
const sweepInterval = time.Minute

// Batch takes the points that fill hands to observe, which came at a time, and returns what
// changed.
func (m *Memory) Batch(now time.Time, fill func(observe func(finding.Point))) []finding.Change {
	m.mu.Lock()
	defer m.mu.Unlock()
	fill(func(p finding.Point) {
		m.book.Observe(p)
		m.history.Observe(p, now)
	})
	if now.Sub(m.swept) >= sweepInterval || now.Before(m.swept) {
		m.swept = now
		m.history.Sweep(now)
	}
	m.last = now
	m.touch()
	return m.book.Advance(now)
}

// Origin takes where the goroutines of a group of a service come from.
func (m *Memory) Origin(of finding.Service, o history.Origin, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.history.ObserveOrigin(of, o, now)
	m.touch()
}

func (m *Memory) touch() {
	m.stale = true
	close(m.changed)
	m.changed = make(chan struct{})
}

// Changed returns a channel that is closed when something comes.
func (m *Memory) Changed() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

// Dropped returns how many points were not taken so far.
func (m *Memory) Dropped() (invalid, beyond int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, h := m.book.Dropped(), m.history.Dropped()
	return max(b.Invalid, h.Invalid), max(b.Beyond, h.Beyond)
}

// Size returns how many findings are remembered.
func (m *Memory) Size() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	findings, _ := m.book.Size()
	return findings
}

// siteInterval is for how long a Site serves all who ask, whatever comes meanwhile.
const siteInterval = time.Second

// Site returns what there is to show. It must not be changed.
func (m *Memory) Site(now time.Time) *Site {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.site != nil && (!m.stale || now.Sub(m.made) < siteInterval && !now.Before(m.made)) {
		return m.site
	}
	site := &Site{At: m.last, Detector: m.detector, Services: m.history.Services()}
	for _, f := range m.book.Findings() {
		site.Findings = append(site.Findings, Finding{
			Finding:  f,
			Chart:    m.history.Chart(f.Service, f.Places),
			Origins:  m.history.Origins(f.Service, f.Places),
			Versions: m.book.Versions(f.Service),
		})
	}
	m.site, m.made, m.stale = site, now, false
	return site
}

// stateVersion changes with what is kept, and with what it means.
const stateVersion = 1

// state is what a Memory keeps over a restart.
type state struct {
	Version       int
	Last          time.Time
	Book, History []byte
}

// ErrState is what UnmarshalBinary returns of what it cannot read.
var ErrState = errors.New("no state of a page")

// MarshalBinary returns what is remembered, in a form that UnmarshalBinary reads.
func (m *Memory) MarshalBinary() ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	book, err := m.book.MarshalBinary()
	if err != nil {
		return nil, err
	}
	past, err := m.history.MarshalBinary()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = gob.NewEncoder(&b).Encode(state{stateVersion, m.last, book, past})
	return b.Bytes(), err
}

// UnmarshalBinary makes the Memory remember what a state says, and nothing else. If the state
// is of no use, it changes nothing.
func (m *Memory) UnmarshalBinary(data []byte) error {
	var kept state
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&kept); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	if kept.Version != stateVersion {
		return fmt.Errorf("%w: version %d, not %d", ErrState, kept.Version, stateVersion)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	past := m.history.Empty()
	if err := past.UnmarshalBinary(kept.History); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	if err := m.book.UnmarshalBinary(kept.Book); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	m.history, m.last = past, kept.Last
	m.touch()
	return nil
}
