package growth

import (
	"math"
	"time"
)

// All instances of a service leak alike, and so do its lives if it is deployed every few hours. The
// evidence of each may be too weak, but arrivals, hours and exits, counted within each process,
// can be added. Levels are never added, or one more instance would be growth.

// Life is the contribution of a process, at one age level of one group, to the evidence about its
// service. The zero value contributes nothing. Lives can be added.
type Life struct {
	// Lives is the number of lives with arrivals.
	Lives float64
	// Arrivals is the number of arrivals.
	Arrivals float64
	// Hours is the sum of the times since they arrived, in hours.
	Hours float64
	// Exits is the number of exits.
	Exits float64
	// Watched is the time in which arrivals were possible, in hours, and ArrivalHours the
	// same weighted by arrivals.
	Watched, ArrivalHours float64
	// Deviation is the sum of the differences between arrival times and the middle of the
	// life, in hours, and Variance its variance at an even pace, in square hours.
	Deviation, Variance float64
}

// Plus returns the sum of l and m.
func (l Life) Plus(m Life) Life {
	return Life{
		l.Lives + m.Lives, l.Arrivals + m.Arrivals, l.Hours + m.Hours, l.Exits + m.Exits,
		l.Watched + m.Watched, l.ArrivalHours + m.ArrivalHours, l.Deviation + m.Deviation, l.Variance + m.Variance,
	}
}

// leastLives is the least number of lives with arrivals that are judged together.
const leastLives = 3

// If few goroutines arrive in each life, they hardly fill a pool, since it would be that small, and
// leaks are only found by adding lives. If many arrive, each process can be judged by itself, and
// a sum is likely to be pools. So the requirements rise between half of MinLeaked and one and a
// half times MinLeaked arrivals in a life: in the end, to minTellingArrivals in all lives, on
// average not early. A pool that takes twice as long to fill as the lives last is early by
// sqrt(n)/6.9 standard deviations, which is three at 430. With one deviation instead of two for
// few arrivals, leaks of one an hour were delayed by chance for a day. With two and a half times
// MinLeaked, 4% of the services with pools in ten replicas were flagged.
const (
	fewPerLife         = 0.5 // in MinLeaked
	manyPerLife        = 1.5
	minTellingArrivals = 430
	slownessFew        = 2.0
)

// The sum of lives shows a leak if both Outlives and KeepsPace.

// Outlives reports whether at least MinLeaked goroutines have arrived, and so few have exited that
// the probability of it is at most that of severity probable if the mean lifetime is MaxLifetime.
func (l Life) Outlives(r *Rules) bool {
	return l.Lives >= leastLives && l.Arrivals >= r.MinLeaked && poissonCDF(l.Exits, l.Hours/r.MaxLifetime.Hours()) <= probableAlpha
}

// KeepsPace reports whether goroutines kept arriving until the ends of the lives, and the lives were
// long enough to tell. Pools that fill at the beginning are early in every life. Lives shorter than
// the reconnection time of peers cannot tell.
func (l Life) KeepsPace(r *Rules) bool {
	if l.ArrivalHours < l.Arrivals*reconnectDurations*r.MinDuration.Hours() {
		return false
	}
	many := min(1, max(0, (l.Arrivals/l.Lives/r.MinLeaked-fewPerLife)/(manyPerLife-fewPerLife)))
	early := (1 - many) * max(slownessFew*math.Sqrt(l.Variance), unevenness*l.ArrivalHours)
	return l.Arrivals >= many*minTellingArrivals && l.Deviation >= -early
}

// slows reports whether arrivals became rarer during the lives.
func (l *Life) slows() bool {
	return l.Deviation < -unevenness*l.ArrivalHours && l.Deviation < -slownessYoung*math.Sqrt(l.Variance)
}

// replicated reports whether enough lives of the service had arrivals to tell what is usual.
func (o *Observation) replicated() bool { return o.Service != nil && o.Service.Lives >= leastLives }

// chances is the number of lives of the service with arrivals. Each is another chance for healthy
// goroutines to look like a leak, so the error probability is divided by it.
func (o *Observation) chances() float64 {
	if o.Service == nil {
		return 1
	}
	return max(1, o.Service.Lives)
}

// Arrived returns how many goroutines have arrived since the first observation and still exist.
func (e *Evidence) Arrived(r *Rules) float64 {
	base := e.arrivalBase()
	if AppearedLater(r, e.process, e.first) {
		base = float64(e.population.base)
	}
	return max(0, float64(e.population.level)-base)
}

// Life returns the current life of the process until now. If heldByPeer, the goroutines wait for the
// other end of a connection, and arrivals soon after the start of the process are ignored.
func (e *Evidence) Life(r *Rules, bound time.Duration, heldByPeer bool) Life {
	if !e.census || e.floors.end == 0 {
		return Life{}
	}
	begin := e.first
	if heldByPeer && e.process != 0 {
		begin = max(begin, e.process+int64(reconnectDurations*r.MinDuration))
	}
	var room [maxKnots + 2]knot
	from := e.floors.place(r, begin+int64(bound))
	knots := e.floors.history(e.arrivalBase(), from, room[:0])
	if base := float64(e.population.base); begin == e.first && e.arrivalBase() > base && AppearedLater(r, e.process, e.first) {
		from = min(from, knots[len(knots)-1].at)
		knots = append(knots, knot{from, base}, knot{min(from, e.floors.place(r, e.process+int64(bound))), base})
	}
	t, a := trendOf(knots, segment(r))
	l := Life{Watched: max(0, knots[0].at-knots[len(knots)-1].at) * segment(r).Hours(), Exits: float64(e.lifetime.exitsInLife)}
	if a.n < 1 {
		return l
	}
	l.Lives, l.Arrivals = 1, a.n
	l.Hours = e.floors.hours(r, knots, e.last)
	l.ArrivalHours = a.n * a.hours
	l.Deviation, l.Variance = float64(t.deviation), float64(t.variance)
	return l
}

// AppearedLater reports whether a group first observed at first did not exist when the process was
// first observed, so that its first goroutines are arrivals. Times are Unix ns.
func AppearedLater(r *Rules, process, first int64) bool {
	return process != 0 && first-process > int64(segment(r))
}

// OneStep returns the life of a process in which all arrivals were at one time. from is when arrivals
// became possible.
func OneStep(arrivals, exits float64, from, at, now time.Time) Life {
	watched, lasted := now.Sub(from).Hours(), now.Sub(at).Hours()
	if watched <= 0 || lasted < 0 || lasted > watched {
		return Life{}
	}
	l := Life{Watched: watched, Exits: exits}
	if arrivals < 1 {
		return l
	}
	l.Lives, l.Arrivals, l.Hours = 1, arrivals, arrivals*lasted
	l.ArrivalHours = arrivals * watched
	l.Deviation, l.Variance = arrivals*(watched/2-lasted), arrivals*watched*watched/12
	return l
}
