package growth

import "time"

// belief is the severity that is shown. Evidence comes and goes with every
// segment; a person who is called for it should not be called off by a quiet
// quarter of an hour. So what growth over a horizon has shown is believed for
// as long again, unless half of what had grown is gone.
type belief struct {
	since    int64   // begin of the belief, Unix ns; 0 while there is none
	until    int64   // when it lapses unless shown again, Unix ns
	perHour  float32 // when last shown
	grown    float32 // when last shown
	severity Severity
	before   bool // the life before this one ended while suspected
}

// outlived is how long growth must be suspected from the level alone before it
// is probable: a day, in which load has come and gone.
const outlived = 24 * time.Hour

// restart ends the belief with the process. Growth that comes back with the next
// one is more than a coincidence.
func (b *belief) restart() {
	*b = belief{before: b.before || b.severity >= Suspected}
}

// update takes what the evidence shows now.
func (b *belief) update(shown Severity, r rise, grown float64, now int64) {
	if now >= b.until || float32(grown) < b.grown/2 {
		b.severity = None
	}
	switch {
	case shown != None && b.since == 0:
		b.since = now
	case shown == None && b.severity == None:
		b.since = 0
	}
	if shown == Suspected && (b.before || now-b.since >= int64(outlived)) {
		shown = Probable
	}
	if shown == None || shown < b.severity {
		return
	}
	b.severity = shown
	b.until = now + int64(r.horizon)
	b.perHour = float32(r.perHour)
	b.grown = float32(grown)
}

func (b *belief) verdict(grown float64) Verdict {
	if b.severity == None {
		return Verdict{}
	}
	return Verdict{Severity: b.severity, Leaked: grown, PerHour: float64(b.perHour)}
}
