package leakdetect

import (
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// stream is what is remembered of one group of goroutines, or of one memory
// metric. There may be very many, so it holds no pointers and no attributes: a
// verdict is written when a point of the stream comes by and brings them along.
type stream struct {
	evidence growth.Evidence

	// The observation that is being put together, or was judged last. A batch
	// processor may have split it over several batches.
	at    int64   // Unix ns
	start int64   // Unix ns; 0 is unknown
	exits float64 // stays from one observation to the next, deltas are added
	// The evidence keeps no more digits of a level either.
	count, aged float32

	since   int64   // first of the flags that are held back, Unix ns; 0 is none
	flagged seconds // last flag that was shown; 0 is none
	seen    seconds // the watch's clock at the last point

	have       parts
	judged     bool
	census     bool            // the last observation had one, so wait for that of the next
	everCensus bool            // any had one
	deltas     bool            // exits come as deltas, and so do not tell the start of the process
	zeros      uint8           // observations shown since flagged
	severity   growth.Severity // of the last observation
}

// seconds is a Unix time, before the year 2106 as all that are believed.
type seconds uint32

func inSeconds(ns int64) seconds { return seconds(ns / int64(time.Second)) }

func (s seconds) ns() int64 { return int64(s) * int64(time.Second) }

// pending tells whether there is an observation that waits for its other parts
// and is older than at. They will not come any more: at most in a batch that is
// late, and data never waits for it.
func (s *stream) pending(at int64) bool {
	return s.have != 0 && !s.judged && s.at < at
}

// joinWithin is how far apart the parts of one observation may be. An SDK stamps
// each instrument by itself, some microseconds after the one before; and nobody
// observes a process more often than ten times a second.
const joinWithin = 100 * time.Millisecond

// join returns the time of a reading: that of the observation that waits for it,
// if there is one.
func (s *stream) join(r reading) int64 {
	if !s.judged && s.have != 0 && s.have&r.part == 0 && near(s.at, r.at, int64(joinWithin)) {
		return s.at
	}
	return r.at
}

// take adds a point to the observation of its time. Of a part that comes when
// the observation was judged without it, it is remembered that there is one.
func (s *stream) take(r reading) reason {
	switch {
	case r.at < s.at, r.at == s.at && s.have&r.part != 0:
		return outOfOrder
	case r.at > s.at:
		s.at, s.have, s.judged, s.start = r.at, 0, false, 0
	}
	s.have |= r.part
	switch r.part {
	case countPart:
		s.count = float32(r.value)
		if s.deltas || !s.everCensus && s.have&exitsPart == 0 {
			s.start = r.start
		}
	case agedPart:
		s.aged = float32(r.value)
	case exitsPart:
		s.takeExits(r)
	}
	if s.judged && r.part&censusParts != 0 {
		s.census = true
	}
	return fine
}

func (s *stream) takeExits(r reading) {
	s.deltas = r.delta
	if r.delta {
		s.exits += r.value
		return
	}
	s.start, s.exits = r.start, r.value
}

// complete tells whether the observation need not wait for more.
func (s *stream) complete(f family) bool {
	switch {
	case s.judged:
		return false
	case f == totalFamily, f == memoryFamily:
		return true
	default:
		return s.have&allParts == allParts || s.have&(countPart|agedPart) == countPart && !s.census
	}
}

// observe judges the observation as it is. It returns false where there is
// nothing to be judged.
func (s *stream) observe(rules *growth.Rules) (growth.Verdict, bool) {
	o, ok := s.observation()
	s.judged = true
	s.census = o.Census
	if !ok {
		return growth.Verdict{}, false
	}
	if o.Census {
		s.beginCensus()
	}
	return s.evidence.Observe(rules, o), true
}

// observation returns what is known of the time s.at. Aged without exits acquit
// nobody, and do not say how many there are, so with neither the other part of
// the census nor a count there is no observation.
func (s *stream) observation() (growth.Observation, bool) {
	o := growth.Observation{
		At:     time.Unix(0, s.at),
		Count:  float64(s.count),
		Census: s.have&censusParts == censusParts,
	}
	if s.start != 0 {
		o.Start = time.Unix(0, s.start)
	}
	counted := s.have&countPart != 0
	if o.Census {
		o.Aged, o.Exits = float64(s.aged), s.exits
		if !counted {
			o.Count = o.Aged // there are at least these
		}
	}
	return o, o.Census || counted
}

// beginCensus lets the evidence begin afresh with the first census. Counts and
// exits need not have the same start, and the later one would pass for a new
// process, after which growth from counts is believed sooner.
func (s *stream) beginCensus() {
	if !s.everCensus {
		s.evidence = growth.Evidence{}
		s.everCensus = true
	}
}

// ripe tells whether there has been a flag for duration, up to a time, without a
// break.
func (s *stream) ripe(severity growth.Severity, at, duration int64) bool {
	switch {
	case severity == growth.None:
		s.since = 0
	case s.since == 0:
		s.since = at
	}
	return s.since != 0 && at-s.since >= duration
}

// For how long severity 0 is shown after the last flag, both at least: three
// observations, so that an alert ends even if a batch or two are lost; and a
// quarter of an hour, three times as long as Prometheus looks back for a sample,
// so that nobody who asks for the latest one still gets the flag.
const (
	zerosShown = 3
	zerosFor   = 15 * time.Minute
)

// show tells whether the verdict of the observation at a time is to be written.
func (s *stream) show(severity growth.Severity, at int64) bool {
	switch {
	case severity > growth.None:
		s.flagged, s.zeros = inSeconds(at), 0
		return true
	case s.flagged == 0:
		return false
	case s.zeros >= zerosShown && at-s.flagged.ns() > int64(zerosFor):
		s.flagged = 0
		return false
	default:
		s.zeros = min(s.zeros, zerosShown) + 1
		return true
	}
}
