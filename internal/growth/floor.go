package growth

import (
	"math"
	"time"
)

// The floor of a level is its minimum over a segment of time: what is left when
// the requests of the moment are gone. A leak raises the floor in every segment.
// Load raises it too, for a while; so it is watched over several horizons at
// once, each twice as long as the one before and made of the same number of
// segments.
const (
	// increments is how many a horizon has: enough to tell three separate
	// steps from one, and few enough that the shortest horizon, of
	// MinDuration, has several observations in each segment.
	increments = 5
	segments   = increments + 1
	// horizons is how many are watched. At the default MinDuration of 30 min
	// they reach from there to 64 h, into which three nights fit: what leaks in
	// one burst each night has made three steps in it.
	horizons = 8
)

// steps is in how many increments the floor must have risen, the first among them
// so that the growth has lasted for the horizon: "at least three separate steps"
// tells growth that goes on from a deploy, a warm-up or a cache that was filled
// once.
const steps = 3

// backslide is the share of the whole rise that the floor may lose on the way.
// A leak loses nothing but what load does to the floor.
const backslide = 0.1

// flattening is the share of an even pace that the last two increments must have
// kept. What fills a pool or a population of sessions slows down as it fills: one
// whose members live for T on average rises, over the 2 T that it needs to be 86%
// full, at less than half the even pace towards the end. A leak keeps pace; one
// of ten arrivals falls below half of it by chance in one look of twenty (binomial,
// p = 2/5), and then waits for the next segment.
const flattening = 0.5

// floors remembers the floors of the last segments, for every horizon. The
// segments of a horizon are twice as long as those of the one before, whose
// floors it takes in pairs.
type floors struct {
	end     int64   // when the current segment ends, Unix ns; 0 before the first observation
	current float32 // the floor of the current segment
	closed  uint32  // segments of the shortest horizon
	scales  [horizons]scale
}

// scale holds the floors of one horizon, the latest last.
type scale [segments]float32

// rise is a growth that was found.
type rise struct {
	perHour float64
	horizon time.Duration
}

// segment returns how long the segments of the shortest horizon are.
func segment(r *Rules) time.Duration { return min(max(r.MinDuration/increments, 1), maxSegment) }

// maxSegment keeps the sums of times below from running over. No rules that anybody
// means reach it: it is that of a MinDuration of two months.
const maxSegment = 1 << 50

// reach returns how far back floors are remembered.
func reach(r *Rules) time.Duration { return segment(r) * segments << (horizons - 1) }

// observe adds a level. Segments begin and end on a grid of their own length, so
// that rates are right; those in which nothing was observed keep the floor of
// the one before, since of what happened in them nothing is known.
func (f *floors) observe(r *Rules, level float64, now int64) {
	length := int64(segment(r))
	if f.end == 0 || now-f.end > int64(reach(r)) {
		*f = floors{end: now + length, current: float32(level)}
		return
	}
	if now < f.end {
		f.current = min(f.current, float32(level))
		return
	}
	for ; now >= f.end; f.end += length {
		f.push(f.current)
	}
	f.current = float32(level)
}

// lift raises all floors of the past, as if what was added had always been there.
func (f *floors) lift(by float32) {
	f.current += by
	for i := range f.scales {
		for k := range f.scales[i] {
			f.scales[i][k] += by
		}
	}
}

// push closes a segment.
func (f *floors) push(floor float32) {
	f.closed++
	for i := range f.scales {
		s := &f.scales[i]
		copy(s[:], s[1:])
		s[segments-1] = floor
		if f.closed>>i&1 == 1 {
			return // the first of a pair
		}
		floor = min(floor, s[segments-2])
	}
}

// rising tells whether the floor rises over any horizon, and over the longest
// of those how fast. Nothing below base counts.
//
// A noisy level must have risen by more than chance, and only segments that have ended
// have a floor. The aged have it at the begin of a segment already, so the one that is
// running counts as the last over the shortest horizon and over the longest, where
// waiting for its end would delay a leak by half a day.
func (f *floors) rising(r *Rules, base float64, noisy bool) (rise, bool) {
	for i := horizons - 1; i >= 0; i-- {
		if f.closed>>i < increments {
			continue
		}
		s, least := f.scales[i], r.MinLeaked
		switch {
		case noisy:
			least = max(least, noise(float64(s[segments-1])))
		case i == 0 || i == horizons-1:
			s = f.upToNow(i)
		}
		if f.closed>>i < segments && (noisy || i != 0 && i != horizons-1) {
			continue
		}
		if total, ok := s.rising(float64(f.current), base, least); ok {
			return riseOf(total, segment(r)<<i), true
		}
	}
	return rise{}, false
}

func riseOf(total float64, segment time.Duration) rise {
	horizon := segment * increments
	return rise{perHour: total / horizon.Hours(), horizon: horizon}
}

// upToNow returns the floors of a horizon with the segment that is running as its last.
// Its floor so far is the least of the shorter segments that it is made of.
func (f *floors) upToNow(i int) scale {
	var s scale
	copy(s[:], f.scales[i][1:])
	floor := f.current
	for k := range i {
		if f.closed>>k&1 == 1 {
			floor = min(floor, f.scales[k][segments-1])
		}
	}
	s[segments-1] = floor
	return s
}

// noise is by how much the floor of a count may rise over a horizon by chance.
// Independent arrivals and exits make a count swing by its square root (the
// deviation of a Poisson process), its floors by less; to rise by twice that
// without falling in between is not chance. To bytes it makes no difference.
func noise(floor float64) float64 { return 2 * math.Sqrt(floor) }

// rising tells whether the floors of one horizon rise, by at least least, and by
// how much. Nothing below base counts.
func (s *scale) rising(current, base, least float64) (float64, bool) {
	var up, down float64
	var floors [segments]float64
	for i, floor := range s {
		floors[i] = max(base, float64(floor))
	}
	first, last := floors[0], floors[segments-1]
	if last-first < least {
		return 0, false
	}
	risen := 0
	for i := 1; i < segments; i++ {
		d := floors[i] - floors[i-1]
		if d > 0 {
			up += d
			risen++
		} else {
			down -= d
		}
	}
	total := last - first
	late := last - floors[segments-3]
	fallen := max(0, last-max(base, current))
	return total, floors[1] > first &&
		risen >= steps &&
		down+fallen <= backslide*up &&
		late >= flattening*total*2/increments
}
