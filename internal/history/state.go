package history

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// savedHistory is the saved state of a History. Windows are not saved. Field names are part of the
// format. There are no maps, since gob allocates a map of the size that the data states, however
// large.
type savedHistory struct {
	Services []savedService
}

type savedService struct {
	Name                finding.Service
	First, Last, Judged time.Time
	Aged                bool
	Bounds              []float64
	Start               time.Time
	Width, Window       time.Duration
	N                   int
	Now                 float64
	Count, Running      []float32 // Running is the number of instances
	Instances           []savedInstance
	Lines               []savedLine
	Groups              []savedGroup
	Origins             []savedOrigin
}

type savedInstance struct {
	Name, Version, Address string
	First, Last, Seen      time.Time
	Step                   time.Duration
	Gaps                   int
	Latest                 int64
	Goroutines             float64
	Known, Up              bool
	Since, At, Failed      time.Time
	Failures               []savedFailures
	Reason, Source         string
	Seconds                float64
}

type savedFailures struct {
	ErrorType string
	N         float64
}

type savedLine struct {
	Place finding.Place
	Now   float64
	Last  time.Time
}

type savedGroup struct {
	Place  finding.Place
	Curves []savedCurve
	Last   time.Time
}

type savedCurve struct {
	Part   int
	Values []float32
}

type savedOrigin struct {
	Origin Origin
	Seen   time.Time
}

// Empty returns an empty History with the same bounds.
func (h *History) Empty() *History { return New(h.config) }

// MarshalBinary returns the state of the History.
func (h *History) MarshalBinary() ([]byte, error) {
	var all savedHistory
	for _, s := range h.services {
		all.Services = append(all.Services, s.save())
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(all); err != nil {
		return nil, fmt.Errorf("encode history: %w", err)
	}
	return b.Bytes(), nil
}

func (s *service) save() savedService {
	saved := savedService{
		Name: s.name, First: s.first, Last: s.last, Judged: s.judged, Aged: s.aged, Bounds: s.bounds,
		Start: s.time.start, Width: s.time.width, Window: s.window.width, N: s.time.n, Now: s.total.now,
		Count: s.total.count.save(s.time.n), Running: s.total.instances.save(s.time.n),
	}
	for _, i := range s.instances {
		saved.Instances = append(saved.Instances, savedInstance{
			Name: i.Name, Version: i.version, Address: i.address, First: i.first, Last: i.last, Seen: i.seen, Step: i.step, Gaps: i.gaps,
			Latest: i.latest, Goroutines: i.goroutines, Known: i.scrape.known, Up: i.scrape.up, Since: i.scrape.since, At: i.scrape.at,
			Failed: i.scrape.failed, Failures: i.scrape.saveFailures(), Reason: i.scrape.reason, Source: i.scrape.source, Seconds: i.scrape.seconds,
		})
	}
	for _, l := range s.lines {
		saved.Lines = append(saved.Lines, savedLine{l.place, l.now, l.last})
	}
	for _, g := range s.groups {
		group := savedGroup{Place: g.place, Last: g.last}
		for p, c := range g.curve {
			if c != nil {
				group.Curves = append(group.Curves, savedCurve{p, c.save(s.time.n)})
			}
		}
		saved.Groups = append(saved.Groups, group)
	}
	for _, o := range s.origins {
		saved.Origins = append(saved.Origins, savedOrigin{*o, o.seen})
	}
	return saved
}

func (s *scrape) saveFailures() []savedFailures {
	var saved []savedFailures
	for errorType, n := range s.failures {
		saved = append(saved, savedFailures{errorType, n})
	}
	return saved
}

// save returns the first n values.
func (c *curve) save(n int) []float32 {
	if c == nil {
		return nil
	}
	return c[:n]
}

// ErrState is returned by UnmarshalBinary for data that is not a state.
var ErrState = errors.New("not a state of a history")

// UnmarshalBinary restores a state in an empty History. On error the History must not be used.
func (h *History) UnmarshalBinary(data []byte) error {
	var all savedHistory
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&all); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	for i := range all.Services {
		k := &all.Services[i]
		if err := k.check(); err != nil {
			return err
		}
		if h.services[k.Name] != nil {
			return fmt.Errorf("%w: a service is duplicated", ErrState)
		}
		if len(h.services) < h.config.MaxInstances {
			h.services[k.Name] = h.restore(k)
			h.judged = h.judged || !k.Judged.IsZero()
		}
	}
	return nil
}

// check returns an error if the state of a service is invalid.
func (k *savedService) check() error {
	if k.N < 0 || k.N > slots || k.Width < 0 || k.Window < 0 || k.Window > maxWidth || len(k.Bounds) > maxBands || (k.N > 0) != (k.Width > 0) {
		return fmt.Errorf("%w: impossible times", ErrState)
	}
	return nil
}

// restore returns the service of a state. It omits what exceeds the limits.
func (h *History) restore(k *savedService) *service {
	s := newService(k.Name)
	s.first, s.last, s.judged, s.aged, s.bounds = k.First, k.Last, k.Judged, k.Aged, k.Bounds
	s.time = timeline{k.Start, k.Width, k.N}
	s.window.width, s.window.done = k.Window, k.Window > 0
	s.total = total{count: h.curve(k.Count), instances: h.curve(k.Running), now: k.Now}
	for _, i := range k.Instances {
		if h.instances >= h.config.MaxInstances || s.instances[i.Name] != nil {
			continue
		}
		h.instances++
		s.instances[i.Name] = &instance{
			Name: i.Name, version: i.Version, address: i.Address, first: i.First, last: i.Last, seen: i.Seen, step: i.Step, gaps: i.Gaps,
			latest: i.Latest, goroutines: i.Goroutines,
			scrape: scrape{
				known: i.Known, up: i.Up, since: i.Since, at: i.At, failed: i.Failed, failures: failuresOf(i.Failures), reason: i.Reason,
				source: i.Source, seconds: i.Seconds,
			},
		}
	}
	for _, g := range k.Groups {
		group := s.group(g.Place)
		group.last = g.Last
		for _, c := range g.Curves {
			if c.Part >= 0 && c.Part < int(parts) && group.curve[c.Part] == nil {
				group.curve[c.Part] = h.curve(c.Values)
			}
		}
	}
	for _, l := range k.Lines {
		key := keyOf(l.Place)
		if h.groups < h.config.MaxGroups && s.lines[key] == nil {
			h.groups++
			s.lines[key] = &line{place: l.Place, group: s.group(l.Place), now: l.Now, last: l.Last}
		}
	}
	for _, o := range k.Origins {
		key := originKey{o.Origin.Place.Group(), o.Origin.Caught}
		if h.origins < h.config.MaxOrigins && s.origins[key] == nil {
			h.origins++
			restored := o.Origin
			restored.seen = o.Seen
			s.origins[key] = &restored
		}
	}
	return s
}

// failuresOf returns the failures by error type. It omits what exceeds maxErrorTypes.
func failuresOf(saved []savedFailures) map[string]float64 {
	if len(saved) == 0 {
		return nil
	}
	failures := make(map[string]float64)
	for _, f := range saved[:min(maxErrorTypes, len(saved))] {
		failures[f.ErrorType] = f.N
	}
	return failures
}

// curve returns a curve of saved values, nil if there are none or too many curves.
func (h *History) curve(values []float32) *curve {
	if len(values) == 0 || h.series >= h.config.MaxSeries {
		return nil
	}
	h.series++
	c := newCurve()
	copy(c[:], values)
	return c
}
