package growth

import (
	"math"
	"slices"
	"time"
)

// The reader, the writer and the handler of one connection that is forgotten are three
// groups and one leak. Their arrivals agree wherever they vary, which those of two leaks do
// not, of whatever pace.
//
// Agreement means nothing where there is no variation: two leaks of one constant pace
// agree as well. And two that follow one daily load agree in what the load does. So the
// arrivals of each interval are compared given their sum: of n that came to either, half
// are expected in one, give or take half the square root of n, if they come independently.

const (
	// agreeAlpha is the probability at most with which independent arrivals agree as well.
	// To tell one leak twice is cheaper than to hide one, and thirty leaks are four hundred
	// pairs: with 1e-4 two of thirty were taken for one in every tenth run of a test.
	agreeAlpha = 1e-5
	// leastVariation is how much the arrivals must vary from interval to interval, in terms
	// of what independent ones do. Those of a ticker vary by a quarter over their number,
	// by rounding, at most; one set of independent arrivals in a hundred varies by less.
	leastVariation = 0.3
	// leastInInterval is how many arrivals an interval must have for its variation to say
	// anything: a ticker of fewer looks like chance.
	leastInInterval = 2
	// leastIntervals is how many such intervals there must be.
	leastIntervals = 5
	// mostDiffering bounds the arrivals in which companions may differ: a goroutine that
	// is missed in one snapshot is counted in the next.
	mostDiffering = 30
	// mostForEach is how many may come of one group for each of the other.
	mostForEach = 4
)

// Recent is how many have come to two groups in each of the last scrapes, the latest first.
// The zero value is that of none.
type Recent struct {
	X, Y     []float64
	Interval time.Duration // from one scrape to the next
}

// Companions tells whether the goroutines of two levels of one process have come together,
// one of either or a few of one for each of the other. It looks at the last scrapes, and
// at these and the floors for the time before them.
func Companions(r *Rules, a, b *Evidence, last Recent) bool {
	x, y := slices.Clone(last.X), slices.Clone(last.Y)
	lengths := make([]float64, len(x))
	each := float64(last.Interval) / float64(segment(r))
	for i := range lengths {
		lengths[i] = each
	}
	// There may have been others before.
	if together(slices.Clone(x), slices.Clone(y), lengths) {
		return true
	}
	// Else they were not observed from one time on.
	if a.census && b.census && a.floors.end == b.floors.end && a.floors.closed == b.floors.closed {
		before := float64(a.floors.closed) - float64(len(x))*each
		older, long := a.arrivals(r, before)
		others, _ := b.arrivals(r, before)
		if n := min(len(older), len(others)); n > 0 {
			x, y, lengths = append(x, older[:n]...), append(y, others[:n]...), append(lengths, long[:n]...)
		}
	}
	return together(x, y, lengths)
}

// together tells whether two sets of arrivals, which it may change, come together.
func together(x, y, lengths []float64) bool {
	if sum(y) < sum(x) {
		x, y = y, x
	}
	ratio, ok := ratioOf(sum(y), sum(x))
	if !ok {
		return false
	}
	for i := range y {
		y[i] = math.Round(y[i] / ratio)
	}
	return varies(x, lengths) && varies(y, lengths) && agree(x, y)
}

// arrivals returns how many have come in each interval that is remembered and was over at a
// time, the latest first, and how long those are, both in segments.
func (e *Evidence) arrivals(r *Rules, until float64) (came, lengths []float64) {
	var room [maxKnots]knot
	knots := e.floors.history(float64(e.population.base), e.floors.place(r, e.first), room[:0])
	for i := 1; i < len(knots); i++ {
		if knots[i-1].at <= until {
			came = append(came, max(0, knots[i-1].level-knots[i].level))
			lengths = append(lengths, knots[i-1].at-knots[i].at)
		}
	}
	return came, lengths
}

func sum(x []float64) float64 {
	total := 0.0
	for _, v := range x {
		total += v
	}
	return total
}

// ratioOf returns how many come of the more frequent ones for each of the others; false if
// that is no small number.
func ratioOf(more, fewer float64) (float64, bool) {
	ratio := math.Round(more / max(fewer, 1))
	return ratio, fewer > 0 && ratio <= mostForEach && math.Abs(more-ratio*fewer) <= 0.1*more
}

// varies tells whether arrivals vary from interval to interval about as independent ones do,
// or by more.
func varies(came, lengths []float64) bool {
	pace := sum(came) / max(sum(lengths), 1)
	squares, n := 0.0, 0.0
	c, length := 0.0, 0.0 // of short intervals together
	for i := range came {
		c, length = c+came[i], length+lengths[i]
		if expected := pace * length; expected >= leastInInterval {
			squares += (c - expected) * (c - expected) / expected
			n++
			c, length = 0, 0
		}
	}
	return n >= leastIntervals && squares >= leastVariation*(n-1)
}

// agree tells whether two sets of arrivals differ by less than independent ones would with a
// probability of more than agreeAlpha. In each interval the difference of two parts of n is
// that of a binomial distribution; the distribution of all differences together is their
// convolution, as far as they differ.
func agree(x, y []float64) bool {
	differ := 0.0
	for i := range x {
		differ += math.Abs(x[i] - y[i])
	}
	if differ > mostDiffering {
		return false
	}
	most := int(differ)
	chance := make([]float64, most+1) // of each sum of differences so far
	chance[0] = 1
	for i := range x {
		next := make([]float64, most+1)
		n := x[i] + y[i]
		for d := range next {
			p := differenceOf(n, float64(d))
			for so := range most + 1 - d {
				next[so+d] += chance[so] * p
			}
		}
		chance = next
	}
	return sum(chance) <= agreeAlpha
}

// differenceOf returns the probability that n arrivals, each of which is of one kind or the
// other with equal probability, are of the two kinds with a difference of d.
func differenceOf(n, d float64) float64 {
	if d > n || math.Mod(n-d, 2) != 0 {
		return 0
	}
	all, _ := math.Lgamma(n + 1)
	more, _ := math.Lgamma((n+d)/2 + 1)
	less, _ := math.Lgamma((n-d)/2 + 1)
	p := math.Exp(all - more - less - n*math.Ln2)
	if d > 0 {
		p *= 2
	}
	return p
}
