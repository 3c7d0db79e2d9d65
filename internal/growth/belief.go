package growth

import "time"

// belief is the severity that is shown. Evidence comes and goes with every segment of
// time, a flag should not: a person who is called for a leak must not be called off by
// a quiet hour. So what growth has shown is believed for a while, unless half of what
// had grown is gone.
type belief struct {
	since    int64   // begin of the belief, Unix ns; 0 while there is none
	until    int64   // when it lapses unless shown again, Unix ns
	begun    int64   // begin of the growth that was last shown, Unix ns
	perHour  float32 // when last shown
	grown    float32 // when last shown
	carry    float32 // for how long lives before this one grew to their end, hours
	severity Severity
	before   bool // the life before this one ended while suspected
}

// outlived is how long growth must be suspected from counts alone before it is
// probable: a day, in which load has come and gone.
const outlived = 24 * time.Hour

// Held is how long a probable leak is believed after it was last shown. A leak pauses
// with the load that feeds it, at night at the latest, and load returns within a day.
// Held for no longer than the horizon over which they grew, up to 12% of the leaks in the
// detection table lost their flag for hours. The cost is that a leak which has stopped
// while its goroutines stay is flagged for a day more.
const Held = 24 * time.Hour

// restart ends the belief with the process. Counts that grow again in the next one are
// more than a coincidence. grew is how long this life grew to its end, 0 if it did not;
// census tells that the level was the aged, of which the next life must show its own
// evidence: services whose workers start lazily grow in every life.
func (b *belief) restart(grew time.Duration, census bool) {
	carry := float32(0)
	if grew > 0 {
		carry = b.carry + float32(grew.Hours())
	}
	*b = belief{before: !census && (b.before || b.severity >= Suspected), carry: carry}
}

// carried is for how long lives before this one grew to their end, one after the
// other.
func (b *belief) carried() time.Duration { return time.Duration(float64(b.carry) * float64(time.Hour)) }

// shown is what the evidence shows at one time.
type shown struct {
	severity Severity
	rise     rise
	begun    int64 // begin of the growth, Unix ns
	again    bool  // that former lives grew speaks for it, too
}

// update takes what the evidence shows now and returns why a flag ended, if one did.
func (b *belief) update(s shown, census bool, grown float64, now int64) End {
	ended := NotEnded
	switch {
	case b.severity == None:
	case float32(grown) < b.grown/2:
		b.severity, ended = None, Left
	case now >= b.until:
		b.severity, ended = None, Slowed
	}
	switch {
	case s.severity != None && b.since == 0:
		b.since = now
	case s.severity == None && b.severity == None:
		b.since = 0
	}
	if !census && s.severity == Suspected && (b.before && s.again || now-b.since >= int64(outlived)) {
		s.severity = Probable
	}
	if s.severity == None || s.severity < b.severity {
		return ended
	}
	b.severity = s.severity
	b.begun = s.begun
	b.until = now + int64(s.rise.horizon)
	if s.severity == Probable {
		b.until = now + max(int64(s.rise.horizon), int64(Held))
	}
	b.perHour = float32(s.rise.perHour)
	b.grown = float32(grown)
	return NotEnded
}
