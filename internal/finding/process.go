package finding

import (
	"strings"
	"time"
)

// process is a process of a service that sends data. A new process with the same name replaces it.
type process struct {
	// First and Last are times of its data, FirstSeen and Seen times of their arrival.
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
	FirstSeen time.Time `json:"first_seen"`
	Seen      time.Time `json:"seen"`
	// Start is the start of its counters, zero if unknown.
	Start time.Time     `json:"start"`
	Step  time.Duration `json:"step"` // between its latest two times
	Build build         `json:"build"`

	Births     sample            `json:"births"`     // the counter
	Born       float64           `json:"born"`       // since First
	Goroutines sample            `json:"goroutines"` // all
	Memory     memory            `json:"memory"`
	Census     census            `json:"census"`
	Ended      map[string]ending `json:"ended,omitempty"` // by the reason
	Version    int               `json:"version"`         // number in the service; 0 if unknown
	touched    bool              // since the last Advance
	hours      float64           // of data since the last Advance
	born       float64           // goroutines since the last Advance
	advanced   time.Time         // Last at the last Advance
	bornBefore float64           // Born at the last Advance
}

// ending is the counter of flags that ended for a reason. Last is when it last rose.
type ending struct {
	Count float64   `json:"count"`
	Last  time.Time `json:"last"`
}

// instanceKeys name an instance without a service.instance.id.
var instanceKeys = [...]key{
	keyOf("k8s.pod.uid"), keyOf("k8s.pod.name"), keyOf("host.name"), keyOf("process.pid"),
	keyOf("server.address"), keyOf("server.port"), keyOf("instance"),
}

func instanceOf(p Point) string {
	if id := p.attribute(keyInstance); id != "" {
		return id
	}
	var parts []string
	for _, k := range instanceKeys {
		if value := p.attribute(k); value != "" {
			parts = append(parts, value)
		}
	}
	return strings.Join(parts, " ")
}

// observe adds a point about the process itself.
func (p *process) observe(m metric, point Point) {
	p.touched = true
	if p.First.IsZero() {
		p.First = point.At
	}
	if point.At.After(p.Last) {
		if !p.Last.IsZero() {
			p.Step = point.At.Sub(p.Last)
		}
		p.Last = point.At
	}
	switch m {
	case creations:
		if at := point.start(); !at.IsZero() {
			p.Start = at
		}
		p.Build.add(build{Version: point.attribute(keyVersion)})
		p.count(point)
	case goroutines:
		p.Goroutines.set(point.At, point.Value)
	case processBuild:
		p.Build.add(buildOf(point))
	case leakEnded:
		p.countEnded(point)
	case memoryUsed, memoryLimit, memoryGoal, gcPercent:
		p.Memory.observe(m, point)
	}
}

// count adds the goroutines that were started since the previous point.
func (p *process) count(point Point) {
	before := p.Births
	if !p.Births.set(point.At, point.Value) || !before.known() {
		return
	}
	if point.Value >= before.Value {
		p.Born += point.Value - before.Value
	} else {
		p.Born += max(0, point.Value)
	}
}

func (p *process) countEnded(point Point) {
	reason := endReason(point.Attributes.get(keyEndReason))
	if reason == "" {
		return
	}
	if p.Ended == nil {
		p.Ended = make(map[string]ending)
	}
	before, known := p.Ended[string(reason)]
	if known && point.Value <= before.Count {
		return
	}
	// A first count above 0 includes flags that ended before the process was watched.
	now := ending{Count: point.Value}
	if known {
		now.Last = point.At
	}
	p.Ended[string(reason)] = now
}

// newer reports whether a point is from a successor of the process: its counters began later, or it
// has another build.
func (p *process) newer(m metric, point Point) bool {
	switch m {
	case creations:
		start := point.start()
		return !start.IsZero() && !p.Start.IsZero() && start.Sub(p.Start) > time.Second && point.At.After(p.Last)
	case processBuild:
		return p.Build.differs(buildOf(point)) && !point.At.Before(p.Last)
	}
	return false
}

// startedAt returns the earliest known time of the process.
func (p *process) startedAt() time.Time {
	if !p.Start.IsZero() && p.Start.Before(p.First) {
		return p.Start
	}
	return p.First
}

// age returns the age of the process by its own counters: an upper bound.
func (p *process) age() time.Duration { return p.Last.Sub(p.startedAt()) }

// watched returns how long the process was watched, by time stamps and by arrival: a lower bound of
// its age.
func (p *process) watched() time.Duration {
	return min(p.Last.Sub(p.First), p.Seen.Sub(p.FirstSeen))
}

// quiet returns the time without data after which the process is considered gone, if others of its
// service send data.
func (p *process) quiet() time.Duration { return max(minQuiet, 3*min(p.Step, time.Hour)) }

// minQuiet is the minimum of quiet, more than one or two failed scrapes.
const minQuiet = 10 * time.Minute

// advance computes the hours and births since the last call.
func (p *process) advance(now time.Time) {
	p.hours, p.born = 0, 0
	if !p.touched {
		return
	}
	p.touched = false
	p.Seen = now
	if p.FirstSeen.IsZero() {
		p.FirstSeen = now
	}
	if p.advanced.IsZero() {
		p.advanced, p.bornBefore = p.Last, p.Born
	}
	p.hours, p.born = p.Last.Sub(p.advanced).Hours(), p.Born-p.bornBefore
	p.advanced, p.bornBefore = p.Last, p.Born
}
