package main

import (
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// alarm is what a detector says of a group, an entry or a metric at one minute.
type alarm struct {
	process  int
	who      string // empty is the process as a whole
	severity growth.Severity
	minute   int
}

// midnight is when the watching begins: a Monday, by the calendar of no family.
var midnight = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

func stamp(minute int) time.Time { return midnight.Add(time.Duration(minute) * time.Minute) }

// subject is what is judged: a group, or an entry that has several.
type subject struct {
	name   string
	groups []int
	peer   bool // all of its goroutines are held by a peer
	// entry is the subject of a group's entry, if that has several groups.
	entry *subject

	evidence  [levels]growth.Evidence
	exits     [levels]float64
	first     time.Time // when the present watcher first saw it, and
	residents float64   // how many there were then
	start     int       // of the watcher
}

// detector is our detector, for one process.
type detector struct {
	rules    growth.Rules
	census   bool
	subjects []*subject // entries first, since their groups are compared with them
	memory   growth.Evidence
}

func newDetector(p process, census bool, maxLifetime time.Duration) *detector {
	d := &detector{
		census: census,
		// The defaults of the processor.
		rules: growth.Rules{MinDuration: minDuration * time.Minute, MinLeaked: minLeaked, MaxLifetime: maxLifetime},
	}
	entries := make(map[string]*subject)
	for i, g := range p.groups {
		e := entries[g.entry]
		if e == nil {
			e = &subject{name: g.entry, peer: true}
			entries[g.entry] = e
		}
		e.groups = append(e.groups, i)
		e.peer = e.peer && g.state == "io_wait"
	}
	for i, g := range p.groups {
		if e := entries[g.entry]; len(e.groups) > 1 && e.groups[0] == i {
			d.subjects = append(d.subjects, e)
		}
	}
	for i, g := range p.groups {
		s := &subject{name: g.function, groups: []int{i}, peer: g.state == "io_wait"}
		// An entry of one group is judged as the group is.
		if e := entries[g.entry]; len(e.groups) > 1 {
			s.entry = e
		}
		d.subjects = append(d.subjects, s)
	}
	return d
}

// memoryRules are the processor's for a metric of memory.
func (d *detector) memoryRules() *growth.Rules {
	r := d.rules
	r.MinLeaked = 64 * mebibyte
	return &r
}

// replay passes the data of a process to our detector and tells judges what it flags.
func replay(process int, p process, s *series, census bool, maxLifetime time.Duration, judges ...*judge) {
	d := newDetector(p, census, maxLifetime)
	for snapshot, minute := range s.minutes {
		d.look(s, snapshot, func(who string, severity growth.Severity) {
			a := alarm{process, who, severity, minute}
			for _, j := range judges {
				j.hear(a)
			}
		})
		for _, j := range judges {
			j.looked(process, minute, s.lives[snapshot])
		}
	}
}

// look takes a snapshot and reports what is flagged.
func (d *detector) look(s *series, snapshot int, report func(who string, severity growth.Severity)) {
	for _, sub := range d.subjects {
		if v := sub.observe(&d.rules, s, snapshot, d.census); v > growth.None {
			report(sub.name, v)
		}
	}
	o := growth.Observation{At: stamp(s.minutes[snapshot]), Start: stamp(s.starts[snapshot]), Count: s.memory[snapshot]}
	if v := d.memory.Observe(d.memoryRules(), o); v.Severity > growth.None {
		report(memoryMetric, v.Severity)
	}
}

// observe judges the subject at all levels and returns the worst severity.
func (s *subject) observe(r *growth.Rules, of *series, snapshot int, census bool) growth.Severity {
	o := growth.Observation{
		At: stamp(of.minutes[snapshot]), Start: stamp(of.starts[snapshot]),
		Census: census, HeldByPeer: s.peer,
	}
	listed := false
	for _, g := range s.groups {
		listed = listed || of.groups[g].listed[snapshot]
		o.Count += float64(of.groups[g].count[snapshot])
	}
	if !listed {
		return growth.None
	}
	if s.first.IsZero() || s.start != of.starts[snapshot] {
		s.first, s.residents, s.start = o.At, o.Count, of.starts[snapshot]
	}
	if !census {
		return s.evidence[0].Observe(r, o).Severity
	}
	o.First, o.FirstCount = s.first, s.residents
	worst := growth.None
	for k := range levels {
		o.Bound = time.Duration(bounds[k]) * time.Minute
		o.Aged, o.Exits = 0, 0
		for _, g := range s.groups {
			o.Aged += float64(of.groups[g].aged[k][snapshot])
			o.Exits += float64(of.groups[g].exits[k][snapshot])
		}
		e := &s.evidence[k]
		s.exits[k] = o.Exits
		if o.Aged == 0 && k > 0 && e.Last().Unix() == 0 {
			break // made when its level first leaves 0; those above are empty, too
		}
		v := e.Observe(r, o)
		if k == 0 {
			o.Process = e.Process()
		}
		if v.Severity > worst && !s.merelyMoved(k, v.Leaked) {
			worst = v.Severity
		}
	}
	return worst
}

// merelyMoved tells whether the old goroutines that now stand in a group have come from
// elsewhere in its entry: the entry has neither grown by half of what the group has, nor
// has it had as many exits.
func (s *subject) merelyMoved(level int, leaked float64) bool {
	return s.entry != nil && s.entry.evidence[level].Grown()+s.entry.exits[level] < leaked/2
}
