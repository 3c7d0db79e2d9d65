package main

import "math"

// line is a least-squares fit: what deriv and predict_linear of Prometheus make
// of a window.
type line struct {
	slope float64 // a minute
	last  float64 // its value at the end of the window
	r2    float64
}

// fit fits a line through the levels that there are, one a minute. With fewer
// than two it is all NaN, which no threshold is below.
func fit(levels []float64) line {
	var n, sx, sy, sxx, sxy, syy float64
	for i, y := range levels {
		if math.IsNaN(y) {
			continue
		}
		x := float64(i - len(levels) + 1)
		n++
		sx += x
		sy += y
		sxx += x * x
		sxy += x * y
		syy += y * y
	}
	cxx, cxy, cyy := sxx-sx*sx/n, sxy-sx*sy/n, syy-sy*sy/n
	slope := cxy / cxx
	return line{slope: slope, last: (sy - slope*sx) / n, r2: slope * cxy / cyy}
}

// complete tells whether at most a tenth of the levels is missing.
func complete(levels []float64) bool {
	missing := 0
	for _, y := range levels {
		if math.IsNaN(y) {
			missing++
		}
	}
	return missing*10 <= len(levels)
}

// thin returns every tenth level, so that chance swings are independent; none if
// the window is not complete.
func thin(levels []float64) []float64 {
	if !complete(levels) {
		return nil
	}
	var thinned []float64
	for i := len(levels) - 1; i >= 0; i -= 10 {
		if !math.IsNaN(levels[i]) {
			thinned = append(thinned, levels[i])
		}
	}
	return thinned
}

// mannKendall returns the standardized statistic of the test of trend: how many
// pairs rise rather than fall, over its deviation if there were no trend. The
// levels are latest first. Ties lower the deviation a little; that is left out,
// which errs on the side of no alarm.
func mannKendall(levels []float64) float64 {
	if len(levels) < 2 {
		return 0
	}
	n := float64(len(levels))
	s := 0.0
	for i := range levels {
		for _, before := range levels[i+1:] {
			switch {
			case levels[i] > before:
				s++
			case levels[i] < before:
				s--
			}
		}
	}
	return (s - 1) / math.Sqrt(n*(n-1)*(2*n+5)/18)
}

// segments is in how many the minimum must rise.
const segments = 6

// rises tells whether the minimum of each segment of the levels exceeds that of
// the one before, by minLeaked in all.
func rises(levels []float64) bool {
	length := len(levels) / segments
	var first, last float64
	for i := range segments {
		low := math.Inf(1)
		for _, y := range levels[i*length : (i+1)*length] {
			if y < low { // false for NaN
				low = y
			}
		}
		if i > 0 && low <= last {
			return false
		}
		if i == 0 {
			first = low
		}
		last = low
	}
	return last-first >= minLeaked
}
