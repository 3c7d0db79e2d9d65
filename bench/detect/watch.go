package main

import (
	"math"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// alarm is a flag of a detector at one minute.
type alarm struct {
	process  int
	subject  string // function, entry or metric; empty for the process as a whole
	severity growth.Severity
	minute   int
}

// midnight is the start of the watching. Its weekday has no meaning.
var midnight = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

func stamp(minute int) time.Time { return midnight.Add(time.Duration(minute) * time.Minute) }

// detector is our detector with the instances of one service that send to it.
type detector struct {
	*detect.Detector
	rules, memory growth.Rules
	census        bool
	processes     []sender
	readings      []detect.Reading
	subjects      map[detect.ID]subjectName
}

// subjectName identifies a group, an entry or a metric of a process, or a group or an entry of the service.
type subjectName struct {
	process int
	name    string
}

// sender is one process and its subjects.
type sender struct {
	*series
	id, memory detect.ID
	subjects   []*subject
	next       int // index of the next snapshot
}

// subject is a group or an entry.
type subject struct {
	id, entry, service detect.ID
	kind               detect.Kind
	groups             []int
	peer               bool
	// quiet is the number of consecutive snapshots in which each age band was empty.
	quiet [levels]int
}

// theService is the process of alarms for the service as a whole, serviceID its ID.
const (
	theService           = -1
	serviceID  detect.ID = 1
)

func newDetector(t trial, all []*series, census bool, maxLifetime time.Duration) *detector {
	// The defaults of the processor.
	rules := growth.Rules{MinDuration: minDuration * time.Minute, MinLeaked: minLeaked, MaxLifetime: maxLifetime}
	d := &detector{
		Detector: detect.New(detect.Config{MinDuration: rules.MinDuration, MaxStale: 24 * time.Hour, MaxGroups: 100_000}),
		rules:    rules,
		memory:   rules,
		census:   census,
		subjects: map[detect.ID]subjectName{serviceID: {}},
	}
	d.memory.MinLeaked = 64 * mebibyte
	inService := make(map[string]detect.ID)
	for i, p := range t.processes {
		s := sender{series: all[i], id: d.id(subjectName{i, ""}), memory: d.id(subjectName{i, memoryMetric})}
		add := func(name string, kind detect.Kind) *subject {
			if inService[name] == 0 {
				inService[name] = d.id(subjectName{theService, name})
			}
			sub := &subject{id: d.id(subjectName{i, name}), service: inService[name], kind: kind}
			for k := range sub.quiet {
				sub.quiet[k] = emptied
			}
			s.subjects = append(s.subjects, sub)
			return sub
		}
		entries := make(map[string]*subject)
		for g, group := range p.groups {
			e := entries[group.entry]
			if e == nil {
				e = add(group.entry, detect.Entry)
				entries[group.entry] = e
			}
			e.groups = append(e.groups, g)
			sub := add(group.function, detect.Stack)
			sub.entry, sub.groups, sub.peer = e.id, []int{g}, group.state == "io_wait"
		}
		d.processes = append(d.processes, s)
	}
	return d
}

// id returns a new ID.
func (d *detector) id(name subjectName) detect.ID {
	id := serviceID + detect.ID(len(d.subjects))
	d.subjects[id] = name
	return id
}

// listener receives the alarms of a detector.
type listener interface {
	add(a alarm)
	endSnapshot(process, minute, life int)
}

// replay passes the data of the processes of a trial to our detector, in order of time, and its alarms to listeners.
func replay(t trial, all []*series, census bool, maxLifetime time.Duration, listeners ...listener) {
	d := newDetector(t, all, census, maxLifetime)
	for {
		minute := math.MaxInt
		for i := range d.processes {
			minute = min(minute, d.processes[i].minute())
		}
		if minute == math.MaxInt {
			return
		}
		d.advance(minute, func(a alarm) {
			for _, l := range listeners {
				l.add(a)
			}
		})
		for i := range d.processes {
			if p := &d.processes[i]; p.minute() == minute {
				for _, l := range listeners {
					l.endSnapshot(i, minute, p.lives[p.next])
				}
				p.next++
			}
		}
	}
}

// minute returns the minute of the next snapshot.
func (s *sender) minute() int {
	if s.next == len(s.minutes) {
		return math.MaxInt
	}
	return s.minutes[s.next]
}

// advance sends the snapshots of one minute, and reports the flags.
func (d *detector) advance(minute int, report func(alarm)) {
	at := stamp(minute).UnixNano()
	d.readings = d.readings[:0]
	for i := range d.processes {
		if s := &d.processes[i]; s.minute() == minute {
			d.send(s, at)
		}
	}
	for _, v := range d.Observe(at, d.readings).Verdicts {
		if v.Severity > growth.None {
			of := d.subjects[v.Group]
			report(alarm{of.process, of.name, v.Severity, minute})
		}
	}
}

// send adds the readings of the next snapshot of a process.
func (d *detector) send(s *sender, at int64) {
	r := detect.Reading{Process: s.id, At: at, Start: stamp(s.starts[s.next]).UnixNano(), Kind: detect.Memory}
	r.Group, r.Rules, r.Value = s.memory, &d.memory, s.series.memory[s.next]
	d.readings = append(d.readings, r)
	for _, sub := range s.subjects {
		r.Group, r.Entry, r.Service, r.ServiceGroup = sub.id, sub.entry, serviceID, sub.service
		r.Kind, r.Rules, r.HeldByPeer = sub.kind, &d.rules, sub.peer
		d.sendSubject(sub, s, r)
	}
}

// sendSubject adds the readings of a group or an entry.
func (d *detector) sendSubject(sub *subject, s *sender, r detect.Reading) {
	snapshot, listed := s.next, false
	var count float64
	var aged, exits [levels + 1]float64
	for _, g := range sub.groups {
		group := &s.groups[g]
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

// emptied is the number of snapshots in which 0 is sent after an age band has emptied, as in the census.
const emptied = 3
