package finding

import (
	"maps"
	"regexp"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// The detector flags groups that leak, and does not report groups that do not. The census does: it
// has the number of old goroutines of each group, and a group that it does not name has none. So
// the census shows the absence of a leak, if its metrics come beside the verdicts.

// census is the time of the latest census of a process, and the number of old goroutines in
// groups that it does not name.
type census struct {
	At      time.Time `json:"at"`
	Unnamed sample    `json:"unnamed"`
}

// group identifies a group of goroutines in all versions: without its line, and without the
// numbers of closures, which move with the code around them.
func (p Place) group() string {
	return p.State + "\x00" + unnumbered(p.Function) + "\x00" + unnumbered(p.Entry)
}

// unnumbered returns a function without the numbers of closures. It is called for each point of a
// census, so it avoids the regular expression for functions that are no closures.
func unnumbered(function string) string {
	if !strings.Contains(function, ".func") && !strings.Contains(function, "wrap") && !strings.Contains(function, "-range") {
		return function
	}
	return closureNumber.ReplaceAllString(function, "$1")
}

// closureNumber matches functions that the compiler numbers: main.run.func2.1, main.run.gowrap1.
var closureNumber = regexp.MustCompile(`(\.func|\.gowrap|\.deferwrap|-range)\d+(?:\.\d+)*`)

// observeCensus adds the number of old goroutines in a group of a process.
func (s *service) observeCensus(m metric, p Point, name string, proc *process) {
	if p.At.After(proc.Census.At) {
		proc.Census.At = p.At
	}
	unnamed := p.Attributes.get(keySignature)
	if m == entryAged {
		unnamed = p.Attributes.get(keyEntry)
	}
	if unnamed == telemetry.SignatureOther {
		if proc.Census.Unnamed.At.Before(p.At) || p.Value > 0 {
			proc.Census.Unnamed.set(p.At, p.Value)
		}
		return
	}
	place := placeOf(p)
	group := place.group()
	for _, r := range s.Records {
		if r.Phase != open || !r.Groups[group] || !r.isOldEnough(p) {
			continue
		}
		if r.Old == nil {
			r.Old = make(map[string]*agedCount)
		}
		key := digest(name, place.key(), p.Attributes.get(keyAgeMin))
		if r.Old[key] == nil && len(r.Old) < maxRows {
			r.Old[key] = &agedCount{Process: name, Row: digest(name, place.key()), Entry: digest(place.Entry), IsEntry: place.IsEntry()}
		}
		if o := r.Old[key]; o != nil {
			o.Count.set(p.At, p.Value)
		}
	}
}

// agedCount is the number of goroutines of a finding in an age band of a process, at one line or with
// one entry.
type agedCount struct {
	Process string `json:"process"`
	Row     string `json:"row,omitempty"`   // key of its row, if it has one
	Entry   string `json:"entry,omitempty"` // its digest
	IsEntry bool   `json:"is_entry,omitempty"`
	Count   sample `json:"count"`
}

// isOldEnough reports whether goroutines of an age band are old enough for the finding.
func (r *record) isOldEnough(p Point) bool {
	bound := p.Attributes.get(keyAgeMin)
	return bound == "" || parseSeconds(bound) >= r.Age
}

// isInCensus reports whether the census of every process is known, and newer than the finding:
// goroutines are counted only while a finding is open.
func (r *record) isInCensus(s *service) bool {
	if r.Phase != open {
		return false
	}
	for _, p := range s.Processes {
		if !p.sendsCensus() || !p.Census.At.After(r.Opened) {
			return false
		}
	}
	return len(s.Processes) > 0
}

// dropOld deletes the old counts of groups that the census does not name any more.
func (r *record) dropOld(s *service) {
	maps.DeleteFunc(r.Old, func(_ string, o *agedCount) bool {
		p := s.Processes[o.Process]
		return p == nil || p.Census.At.Sub(o.Count.At) > p.validity()
	})
}

// censusCounts returns the number of old goroutines of the finding in each process, by its census.
// It returns false if that is unknown.
func (r *record) censusCounts(s *service) (counts map[string]float64, known bool) {
	if !r.isInCensus(s) {
		return nil, false
	}
	r.dropOld(s)
	counts = make(map[string]float64, len(s.Processes))
	for name := range s.Processes {
		counts[name] = 0
	}
	var old headcount
	for _, o := range r.Old {
		old.add(o.Process, o.Entry, o.IsEntry, o.Count.Value)
	}
	maps.Copy(counts, old.byProcess)
	return counts, true
}

// inAll returns the number of old goroutines at the places of the rows that are flagged, including those
// from before the growth; 0 if it is unknown.
func (r *record) inAll(s *service) float64 {
	if !r.isInCensus(s) {
		return 0
	}
	r.dropOld(s)
	var all headcount
	for _, o := range r.Old {
		if w := r.Rows[o.Row]; w != nil && w.Severity.Value > 0 {
			all.add(o.Process, o.Entry, o.IsEntry, o.Count.Value)
		}
	}
	return all.total()
}

// absentInCensus reports whether the census of every process has no old goroutine of the
// finding.
func (r *record) absentInCensus(s *service) bool {
	counts, known := r.censusCounts(s)
	for _, n := range counts {
		if n > 0 {
			return false
		}
	}
	return known
}

// sendsCensus reports whether the process sends a census that names all groups with old goroutines.
func (p *process) sendsCensus() bool {
	c := p.Census
	return !c.At.IsZero() && p.Last.Sub(c.At) <= p.validity() && (c.Unnamed.Value == 0 || c.At.Sub(c.Unnamed.At) > p.validity())
}

// validity returns how long a number is valid that is not sent again. The rest of a census may come
// with the next batch.
func (p *process) validity() time.Duration { return 3 * max(p.Step, time.Second) }
