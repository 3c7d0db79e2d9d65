package growth

import (
	"math"
	"slices"
	"time"
)

// The reader, the writer and the handler of a forgotten connection are three groups but one leak.
// Wherever their arrivals vary, they agree, unlike those of two leaks of any pace.
//
// Without variation agreement means nothing: two leaks of the same constant pace agree too. And
// two leaks that follow the same daily load agree in the variation of the load. So the arrivals of
// each interval are compared given their sum: if n arrivals of both are independent, n/2 of them
// are expected in each group, with a standard deviation of sqrt(n)/2.

const (
	// agreeAlpha is the highest probability with which independent arrivals agree as well.
	// Reporting one leak twice is better than hiding one, and thirty leaks are four hundred
	// pairs: with 1e-4 two of thirty were merged in every tenth run of a test.
	agreeAlpha = 1e-5
	// leastVariation is how much arrivals must vary from interval to interval, relative to
	// independent ones. Arrivals from a ticker vary by at most a quarter over their number,
	// by rounding. Of independent arrivals, one set in 230 varies by less in 16 intervals, and
	// one in 18,000 in 32 (chi-squared with 15 and 31 degrees of freedom).
	leastVariation = 0.3
	// leastInInterval is how many arrivals an interval must have for its variation to count:
	// with fewer, a ticker looks like chance. Above 1.25 its variation is at most 0.17.
	leastInInterval = 1.25
	// leastIntervals is how many such intervals are required.
	leastIntervals = 5
	// mostDiffering is the most arrivals in which companions may differ: a goroutine that
	// is missed in one snapshot is counted in the next.
	mostDiffering = 30
	// mostForEach is the most arrivals of one group for each arrival of the other.
	mostForEach = 4
)

// Recent is the arrivals of two groups in each of the last scrapes, latest first. The zero value
// has none.
type Recent struct {
	X, Y     []float64
	Interval time.Duration // between scrapes
}

// Companions reports whether the goroutines of two levels of a process arrive together: one for one,
// or a few of one for each of the other. It compares the last scrapes alone, and then together
// with the floors before them.
func Companions(r *Rules, a, b *Evidence, last Recent) bool {
	x, y := slices.Clone(last.X), slices.Clone(last.Y)
	lengths := make([]float64, len(x))
	each := float64(last.Interval) / float64(segment(r))
	for i := range lengths {
		lengths[i] = each
	}
	// Earlier arrivals may have been of another cause.
	if comeTogether(slices.Clone(x), slices.Clone(y), lengths) {
		return true
	}
	// Otherwise their segments do not match.
	if a.census && b.census && a.floors.end == b.floors.end && a.floors.closed == b.floors.closed {
		before := float64(a.floors.closed) - float64(len(x))*each
		older, long := a.arrivals(r, before)
		others, _ := b.arrivals(r, before)
		if n := min(len(older), len(others)); n > 0 {
			x, y, lengths = append(x, older[:n]...), append(y, others[:n]...), append(lengths, long[:n]...)
		}
	}
	return comeTogether(x, y, lengths)
}

// comeTogether reports whether two sets of arrivals come together. It may modify x and y.
func comeTogether(x, y, lengths []float64) bool {
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
	return varyEnough(x, lengths) && varyEnough(y, lengths) && agreeInTime(x, y)
}

// arrivals returns the number of arrivals in each interval that ended before until, latest first,
// and the lengths of the intervals. until and lengths are in segments.
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

// ratioOf returns how many of the more frequent arrivals come for each of the others. It returns
// false if that is not close to a small integer.
func ratioOf(more, fewer float64) (float64, bool) {
	ratio := math.Round(more / max(fewer, 1))
	return ratio, fewer > 0 && ratio <= mostForEach && math.Abs(more-ratio*fewer) <= 0.1*more
}

// varyEnough reports whether arrivals vary from interval to interval about as much as independent
// ones, or more.
func varyEnough(came, lengths []float64) bool {
	pace := sum(came) / sum(lengths) // NaN if there are no intervals
	squares, n := 0.0, 0.0
	c, length := 0.0, 0.0 // sums of consecutive short intervals
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

// agreeInTime reports whether independent arrivals would differ as little as x and y with a
// probability of at most agreeAlpha. In each interval the difference follows from a binomial
// distribution; the distribution of the sum of all differences is their convolution.
func agreeInTime(x, y []float64) bool {
	differ := 0.0
	for i := range x {
		differ += math.Abs(x[i] - y[i])
	}
	if differ > mostDiffering {
		return false
	}
	most := int(differ)
	chance := make([]float64, most+1) // probability of each sum of differences so far
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

// differenceOf returns the probability that the numbers of two kinds differ by d among n arrivals,
// each of either kind with equal probability.
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
