package detect

import (
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// End is why a flag ended.
type End string

// Reasons. NotEnded means that no flag ended.
const (
	NotEnded    End = ""
	Left        End = "left"         // half of the growth is gone
	Slowed      End = "slowed"       // growth has not been shown for as long as it is believed
	ProcessGone End = "process_gone" // another process has replaced the flagged one
	NoData      End = "no_data"      // no data for MaxStale
	Ignored     End = "ignored"      // the user has excluded the group
	Expired     End = "expired"      // the proof was not repeated
)

// Ends lists all reasons.
func Ends() [6]End { return [...]End{Left, Slowed, ProcessGone, NoData, Ignored, Expired} }

// Ended is the number of ended flags of goroutines of a process.
type Ended struct {
	Process   ID
	At, Since int64     // Unix ns
	Counts    [6]uint32 // by reason, in the order of Ends
}

// countEnd counts an ended flag.
func (d *Detector) countEnd(v Verdict) {
	p := d.processes[v.Process]
	if p == nil || v.Kind == Memory {
		return
	}
	for i, end := range Ends() {
		if end == v.Ended {
			p.ended[i]++
		}
	}
}

// reportEnded reports the number of ended flags of a process that has or had flags. It reports 0 too,
// so that the first end is an increase.
func (d *Detector) reportEnded(name ID, p *process) {
	if len(p.flagged) == 0 && p.ended == [6]uint32{} {
		return
	}
	if p.counted == 0 {
		p.counted = p.last
	}
	d.result.Ended = append(d.result.Ended, Ended{Process: name, At: p.last, Since: p.counted, Counts: p.ended})
}

// Verdict is the state of a group to report, at the time of an observation. It may be returned in a
// later batch than that with the last reading of the observation.
type Verdict struct {
	Process, Group ID
	// Finding is the identity of the leak: that of its own group in the service, or of the
	// one with which it was first flagged. It does not change while the leak is flagged.
	Finding  ID
	Kind     Kind
	At       int64 // of the observation, Unix ns
	Severity growth.Severity
	Was      growth.Severity // previous Severity
	Ended    End             // if Severity is None and Was is not
	Leaked   float64
	PerHour  float64
	Since    int64 // when the growth began, Unix ns; 0 if Severity is None

	// Service reports whether this is a group of a service, identified by Process. Then Of
	// is the number of its instances, and Instances the number of those that leak.
	Service       bool
	Instances, Of int
	// Together reports whether only the sum of the instances shows the leak.
	Together bool

	// Aged reports whether the verdict is based on a census. Then AgeMin is the age level,
	// and Exits the number of exits from it since Since.
	Aged   bool
	AgeMin time.Duration
	Exits  float64
}

// flag is the state of a group that is flagged, or was until recently.
type flag struct {
	id    ID      // of the finding
	since int64   // when the growth began, Unix ns
	exits float64 // from the level, when the group was flagged there
	bound int64   // of the level, ns; -1 if none
	empty int64   // since when the group is empty, Unix ns; 0 if unknown
	ended growth.End
	last  seconds // when it was last flagged
	zeros uint8   // verdicts of severity 0 since then
}

// How long severity 0 is reported after a flag: for at least three observations, so that an alert
// ends even if a batch or two are lost; and for at least a quarter of an hour, three times the
// lookback of Prometheus, so that no query for the latest sample returns the flag.
const (
	minZeros = 3
	zerosFor = 15 * time.Minute
)

// show reports a group with a severity, if it is to be reported at all. s is the scrape with the
// observation, nil for a group of a service.
func (d *Detector) show(s *scrape, o *observation, j *judgement, severity growth.Severity) {
	g := o.group
	if !j.known {
		return
	}
	if o.reading.Ignored {
		severity = growth.None
	}
	v := Verdict{Process: g.process, Group: o.name, Kind: g.kind, At: o.at, Severity: severity, Was: g.severity}
	if g.flag != nil && j.Ended != growth.NotEnded {
		g.flag.ended = j.Ended // the flag may be held, and end later for this reason
	}
	if severity == growth.None {
		if v.Was > growth.None {
			v.Ended = g.flag.endReason(j.lapsed, o.reading.Ignored)
		}
		d.showEnded(g, v)
		return
	}
	d.result.Changed = d.result.Changed || v.Severity != v.Was
	g.severity = severity
	if g.flag == nil {
		d.noteFlagged(o.name, g)
	}
	if g.flag == nil || v.Was == growth.None {
		g.flag = &flag{id: d.findingOf(s, o, j), bound: -1, since: o.at}
	}
	f := g.flag
	if !j.Since.IsZero() {
		f.since = j.Since.UnixNano()
	}
	if j.census && f.bound != int64(j.bound) {
		f.bound, f.exits = int64(j.bound), j.exits
	}
	f.last, f.zeros = toSeconds(o.at), 0
	v.Finding, v.Leaked, v.PerHour, v.Since = f.id, j.Leaked, j.PerHour, f.since
	if v.Aged = j.census; v.Aged {
		v.AgeMin, v.Exits = j.bound, max(0, j.exits-f.exits)
	}
	d.result.Verdicts = append(d.result.Verdicts, v)
}

// showEnded reports severity 0 for a while after a flag.
func (d *Detector) showEnded(g *group, v Verdict) {
	if v.Was > growth.None {
		g.severity = growth.None
		d.countEnd(v)
		d.result.Changed = true
	}
	switch {
	case g.flag == nil:
	case g.flag.isStillShown(v.At):
		v.Finding = g.flag.id
		d.result.Verdicts = append(d.result.Verdicts, v)
	default:
		g.flag = nil
		d.result.Over = append(d.result.Over, v.Group)
	}
}

// noteFlagged adds a group to the flagged ones of its process.
func (d *Detector) noteFlagged(name ID, g *group) {
	if p := d.processes[g.process]; p != nil && !slices.Contains(p.flagged, name) {
		p.flagged = append(p.flagged, name)
	}
}

// endAbsent ends the flags of groups that a new process does not have, and keeps reporting severity 0
// for groups without data.
func (d *Detector) endAbsent(p *process, s *scrape, isNew bool) {
	p.flagged = slices.DeleteFunc(p.flagged, func(name ID) bool {
		g := d.groups[name]
		if g == nil || g.flag == nil {
			return true
		}
		if s.index[name] != nil || g.kind > Entry || g.at >= s.at || g.severity > growth.None && !isNew {
			return false
		}
		v := Verdict{Process: g.process, Group: name, Kind: g.kind, At: s.at, Was: g.severity}
		if v.Was > growth.None {
			v.Ended = ProcessGone
		}
		g.raw, g.proof = growth.None, nil
		d.showEnded(g, v)
		return g.flag == nil
	})
}

// endReason returns why a flag ends.
func (f *flag) endReason(lapsed, ignored bool) End {
	switch {
	case ignored:
		return Ignored
	case lapsed:
		return Expired
	case f == nil:
		return Slowed
	}
	switch f.ended {
	case growth.Left:
		return Left
	case growth.ProcessGone:
		return ProcessGone
	default:
		return Slowed
	}
}

// isStillShown reports whether to report severity 0 at a time after the flag, and counts it.
func (f *flag) isStillShown(at int64) bool {
	if f.zeros >= minZeros && at-f.last.ns() > int64(zerosFor) {
		return false
	}
	f.zeros = min(f.zeros, minZeros) + 1
	return true
}
