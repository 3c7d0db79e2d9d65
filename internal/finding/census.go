package finding

import (
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

// unnumbered returns a function without the numbers of closures. Most functions are none, and
// each point of a census is asked.
func unnumbered(function string) string {
	if !strings.Contains(function, ".func") && !strings.Contains(function, "wrap") && !strings.Contains(function, "-range") {
		return function
	}
	return closureNumber.ReplaceAllString(function, "$1")
}

// closureNumber matches functions that the compiler numbers: main.run.func2.1, main.run.gowrap1.
var closureNumber = regexp.MustCompile(`(\.func|\.gowrap|\.deferwrap|-range)\d+(?:\.\d+)*`)

// observeCensus reads the number of old goroutines in a group of a process.
func (s *service) observeCensus(m metric, p Point, name string, of *process) {
	if p.At.After(of.Census.At) {
		of.Census.At = p.At
	}
	unnamed := p.Attributes.get(keySignature)
	if m == entryAged {
		unnamed = p.Attributes.get(keyEntry)
	}
	if unnamed == telemetry.SignatureOther {
		if of.Census.Unnamed.At.Before(p.At) || p.Value > 0 {
			of.Census.Unnamed.set(p.At, p.Value)
		}
		return
	}
	place := placeOf(p)
	group := place.group()
	for _, r := range s.Records {
		if r.Phase != open || !r.Groups[group] || !r.counts(p) {
			continue
		}
		if r.Old == nil {
			r.Old = make(map[string]*old)
		}
		key := digest(name, place.key(), p.Attributes.get(keyAgeMin))
		if r.Old[key] == nil && len(r.Old) < maxRows {
			r.Old[key] = &old{Process: name}
		}
		if o := r.Old[key]; o != nil {
			o.Count.set(p.At, p.Value)
		}
	}
}

// old is the number of goroutines of a finding in an age band of a process, at one line.
type old struct {
	Process string `json:"process"`
	Count   sample `json:"count"`
}

// counts reports whether goroutines of an age band are old enough for the finding.
func (r *record) counts(p Point) bool {
	bound := p.Attributes.get(keyAgeMin)
	return bound == "" || parseSeconds(bound) >= r.Age
}

// counted returns how many old goroutines of the finding each process has by its census. It
// returns false if the census of a process is not known, or is of the time before the finding
// was open, when nothing of it was noted.
func (r *record) counted(s *service) (counts map[string]float64, known bool) {
	if r.Phase != open {
		return nil, false
	}
	counts = make(map[string]float64, len(s.Processes))
	for name, p := range s.Processes {
		if !p.tells() || !p.Census.At.After(r.Opened) {
			return nil, false
		}
		counts[name] = 0
	}
	for key, o := range r.Old {
		p := s.Processes[o.Process]
		if p == nil || p.Census.At.Sub(o.Count.At) > p.believed() {
			delete(r.Old, key) // the census does not name the group any more
			continue
		}
		counts[o.Process] += o.Count.Value
	}
	return counts, len(s.Processes) > 0
}

// absentInCensus reports whether the census of every process has no old goroutine of the
// finding.
func (r *record) absentInCensus(s *service) bool {
	counts, known := r.counted(s)
	for _, n := range counts {
		if n > 0 {
			return false
		}
	}
	return known
}

// tells reports whether the process sends its census, and names all groups with old goroutines
// in it.
func (p *process) tells() bool {
	c := p.Census
	return !c.At.IsZero() && p.Last.Sub(c.At) <= p.believed() && (c.Unnamed.Value == 0 || c.At.Sub(c.Unnamed.At) > p.believed())
}

// believed is how long a number holds that is not repeated. The rest of a census may come with
// the next batch.
func (p *process) believed() time.Duration { return 3 * max(p.Step, time.Second) }
