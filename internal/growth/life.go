package growth

import (
	"math"
	"time"
)

// Instances of a service leak alike, and so do the lives of a service that is deployed
// every few hours. What one of them shows may be too little, and is not when it is added
// up: arrivals, hours and exits are, each counted within its process. Levels never are, or
// an instance more would be growth.

// Life is what the life of a process, at one age level of one group, adds to the evidence
// about its service. The zero value is that of no life.
type Life struct {
	// Lives are those in which anybody arrived.
	Lives float64
	// Arrivals are how many did.
	Arrivals float64
	// Hours are those for which they have been there, summed up.
	Hours float64
	// Exits are how many left.
	Exits float64
	// Watched is for how many hours anybody could arrive, and ArrivalHours the same
	// weighted by the arrivals.
	Watched, ArrivalHours float64
	// Deviation is by how much the times of the arrivals are past the middle of the life,
	// summed up, in hours; and Variance what that has at an even pace, in square hours.
	Deviation, Variance float64
}

// Plus returns both together.
func (l Life) Plus(m Life) Life {
	return Life{
		l.Lives + m.Lives, l.Arrivals + m.Arrivals, l.Hours + m.Hours, l.Exits + m.Exits,
		l.Watched + m.Watched, l.ArrivalHours + m.ArrivalHours, l.Deviation + m.Deviation, l.Variance + m.Variance,
	}
}

// leastLives is in how many lives goroutines must have arrived: fewer are judged one by
// one.
const leastLives = 3

// Where few goroutines arrive in a life hardly anything fills that would be so small, and
// leaks need their lives added up. Where many do, a process can be judged by itself, and
// what fills is a pool. So as more arrive in a life more is asked for, from half of
// MinLeaked to one and a half times that: at last telling arrivals in all, and none of them
// early. A pool that takes twice as long to fill as the lives last comes early by
// sqrt(n)/6.9 standard deviations, which is three at 430. With one deviation in place of
// two where few arrive, leaks of one an hour were held up by chance for a day. With two and
// a half times MinLeaked, 4% of the services of ten replicas with pools were accused.
const (
	fewPerLife  = 0.5 // in MinLeaked
	manyPerLife = 1.5
	telling     = 430
	slownessFew = 2.0
)

// Lives together show a leak if the goroutines outlive what is healthy and keep their pace.

// Outlives tells whether at least MinLeaked goroutines have arrived in the lives together,
// and so few have left that the probability of it, were MaxLifetime their mean lifetime, is
// at most that of severity probable.
func (l Life) Outlives(r *Rules) bool {
	return l.Lives >= leastLives && l.Arrivals >= r.MinLeaked && poissonCDF(l.Exits, l.Hours/r.MaxLifetime.Hours()) <= probableAlpha
}

// KeepsPace tells whether the goroutines kept coming to the ends of the lives, and the
// lives were long enough to see it. What fills in the beginning of each life comes early in
// all of them. Of lives shorter than the time for which a peer is not believed nothing can
// be told.
func (l Life) KeepsPace(r *Rules) bool {
	if l.ArrivalHours < l.Arrivals*reconnection*r.MinDuration.Hours() {
		return false
	}
	many := min(1, max(0, (l.Arrivals/l.Lives/r.MinLeaked-fewPerLife)/(manyPerLife-fewPerLife)))
	early := (1 - many) * max(slownessFew*math.Sqrt(l.Variance), unevenness*l.ArrivalHours)
	return l.Arrivals >= many*telling && l.Deviation >= -early
}

// slows tells whether the goroutines came ever more rarely as the lives went on.
func (l *Life) slows() bool {
	return l.Deviation < -unevenness*l.ArrivalHours && l.Deviation < -slownessYoung*math.Sqrt(l.Variance)
}

// replicated tells whether goroutines have arrived in so many lives of the service that
// they say what is usual.
func (o *Observation) replicated() bool { return o.Service != nil && o.Service.Lives >= leastLives }

// chances is in how many lives of the service goroutines have arrived. Each is another
// chance for what is healthy to look like a leak, so the error that is allowed is divided
// among them.
func (o *Observation) chances() float64 {
	if o.Service == nil {
		return 1
	}
	return max(1, o.Service.Lives)
}

// Arrived returns how many have come since the watching began, and are there.
func (e *Evidence) Arrived(r *Rules) float64 {
	base := e.trendBase()
	if AppearedLater(r, e.process, e.first) {
		base = float64(e.population.base)
	}
	return max(0, float64(e.population.level)-base)
}

// Life returns what the present life of the process has shown until now. heldByPeer tells
// that the goroutines wait for the other end of a connection; what they do soon after
// the start of the process counts for nothing then.
func (e *Evidence) Life(r *Rules, bound time.Duration, heldByPeer bool) Life {
	if !e.census || e.floors.end == 0 {
		return Life{}
	}
	begin := e.first
	if heldByPeer && e.process != 0 {
		begin = max(begin, e.process+int64(reconnection*r.MinDuration))
	}
	var room [maxKnots + 2]knot
	from := e.floors.place(r, begin+int64(bound))
	knots := e.floors.history(e.trendBase(), from, room[:0])
	if base := float64(e.population.base); begin == e.first && e.trendBase() > base && AppearedLater(r, e.process, e.first) {
		from = min(from, knots[len(knots)-1].at)
		knots = append(knots, knot{from, base}, knot{min(from, e.floors.place(r, e.process+int64(bound))), base})
	}
	t, a := trendOf(knots, segment(r))
	l := Life{Watched: max(0, knots[0].at-knots[len(knots)-1].at) * segment(r).Hours(), Exits: float64(e.lifetime.left)}
	if a.n < 1 {
		return l
	}
	l.Lives, l.Arrivals = 1, a.n
	l.Hours = e.floors.hours(r, knots, e.last)
	l.ArrivalHours = a.n * a.hours
	l.Deviation, l.Variance = float64(t.deviation), float64(t.variance)
	return l
}

// AppearedLater tells whether a group that was observed first at a time, Unix ns, was not
// there when the process was observed first. Then its first goroutines have arrived.
func AppearedLater(r *Rules, process, first int64) bool {
	return process != 0 && first-process > int64(segment(r))
}

// OneStep returns the life of a process in which all that have arrived came at one time,
// of the time from which on anybody could arrive until now.
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
