package growth

import "time"

// belief is the severity that is reported. Evidence varies with every segment of time, but a flag
// should not: a quiet hour must not resolve an alert. So growth that was shown is believed for a
// while, unless half of it is gone. Growth that is only suspected, and is too slow to be shown again,
// is believed for as long as goroutines still arrive and do not leave.
type belief struct {
	since           int64   // begin of the belief, Unix ns; 0 while there is none
	until           int64   // when it lapses unless shown again, Unix ns
	growthBegun     int64   // begin of the growth that was last shown, Unix ns
	perHour         float32 // when last shown
	grown           float32 // when last shown
	carry           float32 // for how long lives before this one grew to their end, hours
	severity        Severity
	formerSuspected bool // the life before this one ended while suspected
}

// outlivedAfter is how long growth must be suspected from counts alone before it is probable: a
// day, in which load has come and gone.
const outlivedAfter = 24 * time.Hour

// Held is how long a probable leak is believed after it was last shown. A leak pauses with the
// load that causes it, at night at the latest, and load returns within a day. When flags were
// held only for the horizon of the growth, up to 12% of the leaks in the detection table lost
// theirs for hours. The cost: a leak that has stopped, but whose goroutines remain, is flagged
// for one more day.
const Held = 24 * time.Hour

// restart ends the belief with the process. If counts grow again in the next one, that is more
// than a coincidence. grew is the result of grewToTheEnd. census is whether the level was Aged:
// then the next life needs its own evidence, since services with lazily started workers grow in
// every life.
func (b *belief) restart(grew time.Duration, census bool) {
	carry := float32(0)
	if grew > 0 {
		carry = b.carry + float32(grew.Hours())
	}
	*b = belief{formerSuspected: !census && (b.formerSuspected || b.severity >= Suspected), carry: carry}
}

// carried is the total length of the consecutive former lives that grew until their end.
func (b *belief) carried() time.Duration { return time.Duration(float64(b.carry) * float64(time.Hour)) }

// extend extends the belief by a time in which the level was not observed.
func (b *belief) extend(ns int64) {
	if b.severity != None {
		b.until += ns
	}
}

// lapses reports whether a severity ends unless the growth is shown again.
func (b *belief) lapses(now int64) bool { return b.severity != None && now >= b.until }

// growthSign is what the evidence shows at one time.
type growthSign struct {
	severity        Severity
	rise            rise
	begun           int64 // begin of the growth, Unix ns
	formerLivesGrew bool  // growth of former lives supports it
	extension       int64 // for how long a suspicion that lapses is believed if the level has risen, ns
}

// update updates the belief and returns why a flag ended, if one did.
func (b *belief) update(s growthSign, census bool, grown float64, now int64) End {
	ended := NotEnded
	switch {
	case b.severity == None:
	case float32(grown) < b.grown/2:
		b.severity, ended = None, Left
	case b.severity == Suspected && b.lapses(now) && s.extension > 0 && float32(grown) > b.grown:
		// The growth is slower, but has not ended.
		b.until, b.grown = now+s.extension, float32(grown)
	case b.lapses(now):
		b.severity, ended = None, Slowed
	}
	switch {
	case s.severity != None && b.since == 0:
		b.since = now
	case s.severity == None && b.severity == None:
		b.since = 0
	}
	if !census && s.severity == Suspected && (b.formerSuspected && s.formerLivesGrew || now-b.since >= int64(outlivedAfter)) {
		s.severity = Probable
	}
	if s.severity == None || s.severity < b.severity {
		return ended
	}
	b.severity = s.severity
	b.growthBegun = s.begun
	b.until = now + int64(s.rise.horizon)
	if s.severity == Probable {
		b.until = now + max(int64(s.rise.horizon), int64(Held))
	}
	b.perHour = float32(s.rise.perHour)
	b.grown = float32(grown)
	return NotEnded
}
