package detect

import (
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// End is why a flag ended.
type End string

// The reasons. NotEnded is that of a verdict with which no flag ends.
const (
	NotEnded    End = ""
	Left        End = "left"         // half of what had grown is gone
	Slowed      End = "slowed"       // the growth has not been seen for as long as it is believed
	ProcessGone End = "process_gone" // another process took its place
	NoData      End = "no_data"      // nothing has come for too long
	Ignored     End = "ignored"      // the user does not want to be told any more
	Expired     End = "expired"      // what proved it has not been told again
)

// Ends lists all reasons.
func Ends() [6]End { return [...]End{Left, Slowed, ProcessGone, NoData, Ignored, Expired} }

// Ended is how many flags of goroutines of a process have ended.
type Ended struct {
	Process   ID
	At, Since int64     // Unix ns
	Counts    [6]uint32 // by the reason, as Ends lists them
}

// countEnd counts a flag that ended.
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

// tellEnded tells of a process that has flags, or had some, how many have ended. It also
// tells that none have, so that the first is seen as a change.
func (d *Detector) tellEnded(name ID, p *process) {
	if len(p.flagged) == 0 && p.ended == [6]uint32{} {
		return
	}
	if p.counted == 0 {
		p.counted = p.last
	}
	d.result.Ended = append(d.result.Ended, Ended{Process: name, At: p.last, Since: p.counted, Counts: p.ended})
}

// Verdict is what is to be shown of a group, at the time of an observation. It may be made
// in a later batch than that which had the last reading of the observation.
type Verdict struct {
	Process, Group ID
	// Finding is the identity of the leak: of its group in the service, or of the one
	// beside which it was flagged first. It stays while the leak is flagged.
	Finding  ID
	Kind     Kind
	At       int64 // of the observation, Unix ns
	Severity growth.Severity
	Was      growth.Severity // before
	Ended    End             // if Severity is None, and Was is not
	Leaked   float64
	PerHour  float64
	Since    int64 // when the growth began, Unix ns; 0 if Severity is None

	// Service tells that it is about a group of a service, and Process which service. Then
	// Instances is in how many of its instances goroutines leak, of Of that there are.
	Service       bool
	Instances, Of int
	// Together tells that it shows in the instances together only.
	Together bool

	// Aged tells whether the verdict rests on a census with known ages. Then AgeMin is
	// the age level that it is about, and Exits how many have left it since Since.
	Aged   bool
	AgeMin time.Duration
	Exits  float64
}

// flag is what is remembered of a group that is shown, or was until lately.
type flag struct {
	id    ID      // of the finding
	since int64   // when the growth began, Unix ns
	exits float64 // from the level, when the group was flagged there
	bound int64   // of the level, ns; -1 is none
	empty int64   // since when nobody is in the group, Unix ns; 0 is unknown
	ended growth.End
	last  seconds // when it was flagged last
	zeros uint8   // observations shown since then
}

// For how long severity 0 is shown after the last flag, both at least: three
// observations, so that an alert ends even if a batch or two are lost; and a
// quarter of an hour, three times as long as Prometheus looks back for a sample,
// so that nobody who asks for the latest one still gets the flag.
const (
	zerosShown = 3
	zerosFor   = 15 * time.Minute
)

// show shows a group at a severity, as far as that is to be shown at all.
// s is what was observed beside it.
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
		g.flag.ended = j.Ended // it may be shown for longer, and then end for this
	}
	if severity == growth.None {
		if v.Was > growth.None {
			v.Ended = g.flag.reason(j.lapsed, o.reading.Ignored)
		}
		d.showZero(g, v)
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
	f.last, f.zeros = inSeconds(o.at), 0
	v.Finding, v.Leaked, v.PerHour, v.Since = f.id, j.Leaked, j.PerHour, f.since
	if v.Aged = j.census; v.Aged {
		v.AgeMin, v.Exits = j.bound, max(0, j.exits-f.exits)
	}
	d.result.Verdicts = append(d.result.Verdicts, v)
}

// showZero shows that a group is not flagged any more, for as long as that is to be shown.
func (d *Detector) showZero(g *group, v Verdict) {
	if v.Was > growth.None {
		g.severity = growth.None
		d.countEnd(v)
		d.result.Changed = true
	}
	switch {
	case g.flag == nil:
	case g.flag.showsZero(v.At):
		v.Finding = g.flag.id
		d.result.Verdicts = append(d.result.Verdicts, v)
	default:
		g.flag = nil
		d.result.Over = append(d.result.Over, v.Group)
	}
}

// noteFlagged remembers which groups of a process are flagged.
func (d *Detector) noteFlagged(name ID, g *group) {
	if p := d.processes[g.process]; p != nil && !slices.Contains(p.flagged, name) {
		p.flagged = append(p.flagged, name)
	}
}

// endAbsent ends the flags of groups of which a new process has no goroutines, and goes
// on to show that they have ended.
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
		d.showZero(g, v)
		return g.flag == nil
	})
}

// reason tells why a flag ends.
func (f *flag) reason(lapsed, ignored bool) End {
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

// showsZero tells whether severity 0 is to be shown at a time.
func (f *flag) showsZero(at int64) bool {
	if f.zeros >= zerosShown && at-f.last.ns() > int64(zerosFor) {
		return false
	}
	f.zeros = min(f.zeros, zerosShown) + 1
	return true
}
