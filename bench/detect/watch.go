package main

import (
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
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

// detector is our detector, and what it is sent of one process.
type detector struct {
	*detect.Detector
	rules, memory growth.Rules
	census        bool
	subjects      []*subject
	readings      []detect.Reading
	names         map[detect.ID]string
}

// subject is a group or an entry.
type subject struct {
	id, entry detect.ID
	kind      detect.Kind
	groups    []int
	peer      bool
	// quiet is for how many snapshots each age band has been empty.
	quiet [levels]int
}

func newDetector(p process, census bool, maxLifetime time.Duration) *detector {
	// The defaults of the processor.
	rules := growth.Rules{MinDuration: minDuration * time.Minute, MinLeaked: minLeaked, MaxLifetime: maxLifetime}
	d := &detector{
		Detector: detect.New(detect.Config{MinDuration: rules.MinDuration, MaxStale: 24 * time.Hour, MaxGroups: 100_000}),
		rules:    rules,
		memory:   rules,
		census:   census,
		names:    map[detect.ID]string{memoryID: memoryMetric},
	}
	d.memory.MinLeaked = 64 * mebibyte
	entries := make(map[string]*subject)
	for i, g := range p.groups {
		e := entries[g.entry]
		if e == nil {
			e = d.subject(g.entry, detect.Entry)
			entries[g.entry] = e
		}
		e.groups = append(e.groups, i)
		s := d.subject(g.function, detect.Stack)
		s.entry, s.groups, s.peer = e.id, []int{i}, g.state == "io_wait"
	}
	return d
}

// The IDs of the process and its memory. Those of groups follow.
const (
	processID detect.ID = iota + 1
	memoryID
)

func (d *detector) subject(name string, kind detect.Kind) *subject {
	s := &subject{id: memoryID + 1 + detect.ID(len(d.subjects)), kind: kind}
	for k := range s.quiet {
		s.quiet[k] = emptied
	}
	d.subjects = append(d.subjects, s)
	d.names[s.id] = name
	return s
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

// look sends a snapshot and reports what is flagged.
func (d *detector) look(s *series, snapshot int, report func(who string, severity growth.Severity)) {
	at, start := stamp(s.minutes[snapshot]).UnixNano(), stamp(s.starts[snapshot]).UnixNano()
	d.readings = append(d.readings[:0], detect.Reading{
		Process: processID, Group: memoryID, Kind: detect.Memory, Rules: &d.memory, At: at, Start: start, Value: s.memory[snapshot],
	})
	for _, sub := range d.subjects {
		d.send(sub, s, snapshot, detect.Reading{
			Process: processID, Group: sub.id, Entry: sub.entry, Kind: sub.kind, Rules: &d.rules, At: at, Start: start, HeldByPeer: sub.peer,
		})
	}
	for _, v := range d.Observe(at, d.readings).Verdicts {
		if v.Severity > growth.None {
			report(d.names[v.Group], v.Severity)
		}
	}
}

// send sends what a snapshot has of a group or an entry.
func (d *detector) send(sub *subject, of *series, snapshot int, r detect.Reading) {
	listed := false
	var count float64
	var aged, exits [levels + 1]float64
	for _, g := range sub.groups {
		group := &of.groups[g]
		listed = listed || group.listed[snapshot]
		count += float64(group.count[snapshot])
		for k := range levels {
			aged[k] += float64(group.aged[k][snapshot])
			exits[k] += float64(group.exits[k][snapshot])
		}
	}
	if !listed {
		return
	}
	r.Part, r.Value = detect.Count, count
	d.readings = append(d.readings, r)
	if !d.census {
		return
	}
	for k := range levels {
		r.Band = time.Duration(bounds[k]) * time.Minute
		inBand, left := aged[k]-aged[k+1], exits[k]-exits[k+1]
		if sub.quiet[k]++; inBand > 0 {
			sub.quiet[k] = 0
		}
		if k == 0 || sub.quiet[k] <= emptied {
			r.Part, r.Value = detect.Aged, inBand
			d.readings = append(d.readings, r)
		}
		if k == 0 || left > 0 {
			r.Part, r.Value = detect.Exits, left
			d.readings = append(d.readings, r)
		}
	}
}

// emptied is for how many snapshots 0 is sent of an age band that was not empty, as the
// census does.
const emptied = 3
