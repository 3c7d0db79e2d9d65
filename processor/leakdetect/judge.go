package leakdetect

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// batch is what came of judging one batch of data.
type batch struct {
	findings  []finding
	bad       map[reason]int64 // points
	unwatched int64            // points
	streams   int              // watched afterwards
	due       bool             // what is remembered is to be kept soon
}

func (b *batch) refuse(why reason, points int) {
	if points == 0 {
		return
	}
	if b.bad == nil {
		b.bad = make(map[reason]int64)
	}
	b.bad[why] += int64(points)
}

// finding is a verdict that is to be written, and whom it is about.
type finding struct {
	watched
	origin     int         // index of the resource in the batch
	attributes pcommon.Map // of the point, which they still belong to
	at         int64       // Unix ns
	verdict    growth.Verdict
	rose       bool // the severity is higher than the one before
}

func (w *watch) judgeMetric(b *batch, it item) {
	points, delta, why := levels(it.data, it.part)
	if why != fine {
		b.refuse(why, pointCount(it.data))
		return
	}
	if it.origin.resource == nil {
		it.origin.resource = w.resource(it.origin.id)
	}
	if it.origin.resource == nil {
		b.unwatched += int64(points.Len())
		return
	}
	for _, p := range points.All() {
		if why := w.judgePoint(b, it, p, delta); why != fine {
			b.refuse(why, 1)
		}
	}
}

func (w *watch) judgePoint(b *batch, it item, p pmetric.NumberDataPoint, delta bool) reason {
	r, why := read(p, it.part, delta)
	switch {
	case why != fine:
		return why
	case !identifiable(p.Attributes(), 0):
		return badAttributes
	case !w.admit(it.origin.resource, r.at):
		return badJump
	}
	if it.family == stackFamily {
		it.origin.resource.stacks = r.at
	}
	if it.part == leakedPart {
		it.origin.resource.takeProfile(r.at, w.maxStale)
	}
	if isRest(it.family, p.Attributes()) {
		return fine
	}
	it.group = identify(p.Attributes())
	s := w.stream(it.origin.id.stream(it.salt, it.group))
	if s == nil {
		b.unwatched++
		return fine
	}
	return w.observe(b, it, s, p.Attributes(), r)
}

// observe adds a reading to its stream and judges what is complete with it.
func (w *watch) observe(b *batch, it item, s *stream, attributes pcommon.Map, r reading) reason {
	if s.at != 0 && !near(s.at, r.at, w.maxStale) {
		// Its resource's clock was set, or was wrong before.
		*s = stream{seen: s.seen}
	}
	r.at = s.join(r)
	// Exits alone come of a group that nobody is in any more.
	if s.pending(r.at) && !w.conclude(b, it, s, attributes) && s.have&agedPart != 0 {
		b.refuse(incomplete, 1)
	}
	if why := s.take(r); why != fine {
		return why
	}
	if it.part == leakedPart {
		it.origin.resource.name(it.group, r.value, r.at)
	}
	if s.complete(it.family) {
		w.conclude(b, it, s, attributes)
	}
	return fine
}

// conclude judges the observation of a stream and keeps what is to be written.
func (w *watch) conclude(b *batch, it item, s *stream, attributes pcommon.Map) bool {
	verdict, ok := s.observe(it.rules)
	if it.family == stackFamily {
		if verdict.Severity == growth.Probable && w.merelyMoved(it, attributes, verdict.Leaked) {
			verdict.Severity = growth.Suspected
		}
		verdict, ok = it.origin.resource.confirm(it.group, s, verdict, ok, w.maxStale)
	}
	if !ok {
		return false
	}
	if w.explained(it, verdict, attributes, s.at) {
		verdict = growth.Verdict{}
	}
	// An entry holds all goroutines of its signatures and so may be judged a
	// little sooner than they are. They get their turn first.
	if it.family == entryFamily && !s.ripe(verdict.Severity, s.at, w.minDuration) {
		verdict = growth.Verdict{}
	}
	rose := verdict.Severity > s.severity
	b.due = b.due || verdict.Severity != s.severity
	s.severity = verdict.Severity
	if s.show(verdict.Severity, s.at) {
		b.findings = append(b.findings, finding{
			watched:    it.watched,
			origin:     it.origin.index,
			attributes: attributes,
			at:         s.at,
			verdict:    verdict,
			rose:       rose,
		})
	}
	return true
}

// merelyMoved tells whether old goroutines that now stand in a signature have come from
// elsewhere in their entry. The workers of a pool that wait for a database, as load
// rises, do not leave by themselves, and look like a leak there: but no worker is new.
// At least as many as leak must have got old in the entry since its watching began:
// those that it has grown by, and those that have left it. Half of them are asked for,
// since the two are not watched from the same moment.
func (w *watch) merelyMoved(it item, attributes pcommon.Map, leaked float64) bool {
	point, ok := entryPoint(attributes)
	if !ok {
		return false
	}
	entry, ok := w.streams[it.origin.id.stream(entrySalt, identify(point))]
	return ok && entry.everCensus && entry.evidence.Grown()+entry.exits < leaked/2
}

// explained tells whether a verdict says nothing that is not known already: of an
// entry when one of its signatures is flagged, and of the total where there are
// stacks. It remembers the flags that explain others.
func (w *watch) explained(it item, v growth.Verdict, attributes pcommon.Map, at int64) bool {
	r := it.origin.resource
	switch it.family {
	case stackFamily:
		if v.Severity > growth.None {
			r.flag(valueOf(attributes, telemetry.AttrEntry), at)
		}
	case entryFamily:
		return v.Severity > growth.None && r.explained(valueOf(attributes, telemetry.AttrEntry), at, w.minDuration)
	case totalFamily:
		return r.hasStacks(at, w.maxStale)
	}
	return false
}
