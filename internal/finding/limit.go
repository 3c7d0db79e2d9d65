package finding

import (
	"cmp"
	"slices"
	"time"
)

// Limit is the limit that a leak reaches first.
type Limit struct {
	// Kind is empty if no limit is known.
	Kind  LimitKind
	Value float64 // goroutines, or bytes
	// In is the time until the first instance reaches the limit at the present pace.
	In       time.Duration
	Instance string
	// Learned is set if the limit is where earlier processes ended.
	Learned bool
}

// LimitKind is the resource that a limit bounds.
type LimitKind string

// The kinds.
const (
	LimitGoroutines LimitKind = "goroutines"
	LimitMemory     LimitKind = "memory"
)

// death is the state of a leaking process at its end.
type death struct {
	At         time.Time `json:"at"`
	Version    int       `json:"version"`
	Goroutines float64   `json:"goroutines"`
	Memory     float64   `json:"memory"`
}

// A limit is learned if at least two processes ended within a quarter of the same number, and an
// hour apart: replicas that are restarted at once have run for equally long.
const (
	maxDeaths     = 8
	maxDeathRatio = 1.25
	minDeathGap   = time.Hour
	minDeaths     = 2
)

// used returns the peak memory of the process: live memory, garbage up to the goal of the garbage
// collector, and stacks. It is as noisy as that goal.
func (p *process) used() float64 {
	if p.Memory.Goal.known() {
		return p.Memory.Goal.Value + p.Memory.Stack.Value
	}
	return p.Memory.Other.Value + p.Memory.Stack.Value
}

// used returns the peak memory of a process with the given number of leaked goroutines, without the
// noise.
func (r *record) used(name string, p *process, leaked float64) float64 {
	c := r.Cost[name]
	if c == nil || !p.Memory.Goal.known() {
		return p.used()
	}
	others := max(0, p.Goroutines.Value-leaked)
	return c.Goal.smooth(leaked, others, p.Memory.Goal.Value) + c.Stack.smooth(leaked, others, p.Memory.Stack.Value)
}

// noteDeath notes the end of a process, if it leaked.
func (s *service) noteDeath(name string, p *process) {
	if len(s.Deaths) > 0 && p.Last.Sub(s.Deaths[len(s.Deaths)-1].At) < minDeathGap {
		return
	}
	if !slices.ContainsFunc(sorted(s.Records), func(id string) bool {
		for _, w := range s.Records[id].Rows {
			if w.Process == name && w.Severity.Value > 0 {
				return true
			}
		}
		return false
	}) {
		return
	}
	s.Deaths = append(s.Deaths, death{p.Last, p.Version, p.Goroutines.Value, p.used()})
	if len(s.Deaths) > maxDeaths {
		s.Deaths = s.Deaths[1:]
	}
}

// learned returns the value at which processes of a version end, 0 if unknown. It ignores other
// versions, whose processes may have been replaced, not killed.
func (s *service) learned(version int, value func(death) float64) float64 {
	var ends []float64
	for _, d := range s.Deaths {
		if d.Version == version && value(d) > 0 {
			ends = append(ends, value(d))
		}
	}
	if len(ends) < minDeaths || slices.Max(ends) > maxDeathRatio*slices.Min(ends) {
		return 0
	}
	slices.Sort(ends)
	return ends[len(ends)/2]
}

// limit returns the limit that the finding reaches first. growth is the memory of one goroutine, in
// bytes.
func (r *record) limit(s *service, growth float64) Limit {
	var first Limit
	var rates, counts headcount
	for _, w := range r.Rows {
		if w.Severity.Value > 0 {
			rates.addRow(r, w, w.Rate.Value)
			counts.addRow(r, w, w.Count.Value)
		}
	}
	for _, name := range sorted(rates.byProcess) {
		p, rate := s.Processes[name], rates.byProcess[name]
		if p == nil || rate <= 0 {
			continue
		}
		consider := func(kind LimitKind, given, learned, now, perHour float64) {
			value := cmp.Or(given, learned)
			if value <= 0 || now <= 0 || perHour <= 0 {
				return
			}
			in := max(0, value-now) / perHour
			if in > maxForecast.Hours() {
				return
			}
			if d := time.Duration(in * float64(time.Hour)); first.Kind == "" || d < first.In {
				first = Limit{kind, value, d, name, given == 0}
			}
		}
		consider(LimitGoroutines, float64(s.config.GoroutineLimit),
			s.learned(p.Version, func(d death) float64 { return d.Goroutines }), p.Goroutines.Value, rate)
		consider(LimitMemory, cmp.Or(float64(s.config.MemoryLimit), p.Memory.limit()),
			s.learned(p.Version, func(d death) float64 { return d.Memory }), r.used(name, p, counts.byProcess[name]), rate*growth)
	}
	return first
}
