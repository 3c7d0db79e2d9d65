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
	carry    float32 // for how long lives before this one grew to their end, hours
	severity Severity
	before   bool // the life before this one ended while suspected
	load     bool // suspected for no more than that it grows for longer than load does
}

// outlived is how long growth must be suspected from the level alone before it
// is probable: a day, in which load has come and gone.
const outlived = 24 * time.Hour

// restart ends the belief with the process. Growth that comes back with the next
// one is more than a coincidence, unless it may be load, which comes back every day. grew is for how long this life grew to its end, 0 if
// it did not.
func (b *belief) restart(grew time.Duration) {
	carry := float32(0)
	if grew > 0 {
		carry = b.carry + float32(grew.Hours())
	}
	*b = belief{before: b.before || b.severity >= Suspected && !b.load, carry: carry}
}

// carried is for how long lives before this one grew to their end, one after the
// other.
func (b *belief) carried() time.Duration { return time.Duration(float64(b.carry) * float64(time.Hour)) }

// update takes what the evidence shows now, and whether that may be load.
func (b *belief) update(shown Severity, load bool, r rise, grown float64, now int64) {
	if now >= b.until || float32(grown) < b.grown/2 {
		b.severity = None
	}
	switch {
	case shown != None && b.since == 0:
		b.since = now
	case shown == None && b.severity == None:
		b.since = 0
	}
	if shown == Suspected && (b.before && !load || now-b.since >= int64(outlived)) {
		shown = Probable
	}
	if shown == None || shown < b.severity {
		return
	}
	b.load = load && (b.load || b.severity == None)
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
