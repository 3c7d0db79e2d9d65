package growth

import (
	"math"
	"time"
)

// The floor of a level is its minimum over a segment of time: what remains when the current
// requests are finished. A leak raises the floor in every segment. Load raises it too, for a
// while; so it is observed over several horizons, each twice as long as the previous one and
// with the same number of segments.
const (
	// incrementsPerHorizon is enough to tell three separate steps from one, and small enough
	// for several observations in each segment of the shortest horizon, MinDuration.
	incrementsPerHorizon = 5
	segmentsPerHorizon   = incrementsPerHorizon + 1
	// horizonCount is the number of horizons. With the default MinDuration of 30 min the
	// longest has 64 h and contains three nights: a leak of one burst each night makes three
	// steps in it.
	horizonCount = 8
)

// minSteps is in how many increments the floor must rise, including the first, so that the growth
// lasted for the horizon. Three separate steps distinguish continued growth from a deploy, a
// warm-up or a cache that was filled once.
const minSteps = 3

// maxBackslide is the share of the rise by which the floor may fall in between. The floor of a leak
// falls only with load.
const maxBackslide = 0.1

// minLatePace is the least pace in the last two increments, as a share of the mean pace. Pools and
// populations of sessions slow down as they fill: if their members live for T on average, the
// level needs 2 T to be 86% full, and rises at less than half the mean pace towards the end. A
// leak keeps its pace; with ten arrivals it falls below half by chance in one assessment of
// twenty (binomial, p = 2/5), and then waits for the next segment.
const minLatePace = 0.5

// floors holds the floors of the last segments for every horizon. The segments of a horizon are
// pairs of segments of the previous one.
type floors struct {
	end     int64   // when the current segment ends, Unix ns; 0 before the first observation
	current float32 // floor of the current segment
	closed  uint32  // segments of the shortest horizon
	scales  [horizonCount]horizonFloors
}

// horizonFloors holds the floors of one horizon, latest last.
type horizonFloors [segmentsPerHorizon]float32

// rise is growth over a horizon.
type rise struct {
	perHour float64
	horizon time.Duration
}

// segment returns the length of a segment of the shortest horizon.
func segment(r *Rules) time.Duration {
	return min(max(r.MinDuration/incrementsPerHorizon, 1), maxSegment)
}

// maxSegment prevents overflows of the times below. It corresponds to a MinDuration of two months,
// more than any reasonable one.
const maxSegment = 1 << 50

// floorReach returns how far back floors are kept.
func floorReach(r *Rules) time.Duration { return segment(r) * segmentsPerHorizon << (horizonCount - 1) }

// observe adds a level. Segments have equal lengths, so that rates are correct; a segment without
// observations keeps the floor of the previous one.
func (f *floors) observe(r *Rules, level float64, now int64) {
	length := int64(segment(r))
	if f.end == 0 || now-f.end > int64(floorReach(r)) {
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

// lift raises all floors, as if the difference had always existed.
func (f *floors) lift(by float32) {
	f.current += by
	for i := range f.scales {
		for k := range f.scales[i] {
			f.scales[i][k] += by
		}
	}
}

// push ends a segment.
func (f *floors) push(floor float32) {
	f.closed++
	for i := range f.scales {
		s := &f.scales[i]
		copy(s[:], s[1:])
		s[segmentsPerHorizon-1] = floor
		if f.closed>>i&1 == 1 {
			return // the first of a pair
		}
		floor = min(floor, s[segmentsPerHorizon-2])
	}
}

// rising returns the rise over the longest horizon over which the floor rises. Levels below base
// do not count.
//
// A noisy level must rise by more than chance, and only completed segments have a floor. For aged
// goroutines the floor is the level at the start of a segment, so the current segment counts as
// the last one over the shortest horizon, and over the longest, where waiting for its end would
// delay a leak by half a day.
func (f *floors) rising(r *Rules, base float64, noisy bool) (rise, bool) {
	for i := horizonCount - 1; i >= 0; i-- {
		if f.closed>>i < incrementsPerHorizon {
			continue
		}
		s, least := f.scales[i], r.MinLeaked
		switch {
		case noisy:
			least = max(least, countNoise(float64(s[segmentsPerHorizon-1])))
		case i == 0 || i == horizonCount-1:
			s = f.upToNow(i)
		}
		if f.closed>>i < segmentsPerHorizon && (noisy || i != 0 && i != horizonCount-1) {
			continue
		}
		if total, ok := s.rising(float64(f.current), base, least); ok {
			return riseOf(total, segment(r)<<i), true
		}
	}
	return rise{}, false
}

func riseOf(total float64, segment time.Duration) rise {
	horizon := segment * incrementsPerHorizon
	return rise{perHour: total / horizon.Hours(), horizon: horizon}
}

// upToNow returns the floors of a horizon with the current segment as the last one. Its floor so
// far is the minimum of its shorter segments.
func (f *floors) upToNow(i int) horizonFloors {
	var s horizonFloors
	copy(s[:], f.scales[i][1:])
	floor := f.current
	for k := range i {
		if f.closed>>k&1 == 1 {
			floor = min(floor, f.scales[k][segmentsPerHorizon-1])
		}
	}
	s[segmentsPerHorizon-1] = floor
	return s
}

// countNoise is how much the floor of a count may rise over a horizon by chance. With independent
// arrivals and exits a count varies by its square root (the standard deviation of a Poisson
// process), and its floor by less; a rise of twice that, without a fall in between, is not
// chance. For bytes it is negligible.
func countNoise(floor float64) float64 { return 2 * math.Sqrt(floor) }

// rising returns by how much the floors of one horizon rise, and whether that is a rise of at least
// least. Levels below base do not count.
func (s *horizonFloors) rising(current, base, least float64) (float64, bool) {
	var up, down float64
	var floors [segmentsPerHorizon]float64
	for i, floor := range s {
		floors[i] = max(base, float64(floor))
	}
	first, last := floors[0], floors[segmentsPerHorizon-1]
	if last-first < least {
		return 0, false
	}
	risen := 0
	for i := 1; i < segmentsPerHorizon; i++ {
		d := floors[i] - floors[i-1]
		if d > 0 {
			up += d
			risen++
		} else {
			down -= d
		}
	}
	total := last - first
	late := last - floors[segmentsPerHorizon-3]
	fallen := max(0, last-max(base, current))
	return total, floors[1] > first &&
		risen >= minSteps &&
		down+fallen <= maxBackslide*up &&
		late >= minLatePace*total*2/incrementsPerHorizon
}
