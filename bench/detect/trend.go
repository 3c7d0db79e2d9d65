package main

import "math"

// line is a least-squares fit, as in deriv and predict_linear of Prometheus.
type line struct {
	slope float64 // per minute
	last  float64 // value at the end of the window
	r2    float64
}

// fit fits a line to levels one minute apart, ignoring NaN. With fewer than two levels, all results are NaN.
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

// complete reports whether at most a tenth of the levels is missing.
func complete(levels []float64) bool {
	missing := 0
	for _, y := range levels {
		if math.IsNaN(y) {
			missing++
		}
	}
	return missing*10 <= len(levels)
}

// thin returns every tenth level, so that random variations are independent, or nil if the window is not complete.
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

// mannKendall returns the standardized Mann-Kendall statistic: the rising minus the falling pairs, over the standard
// deviation without a trend. Levels are latest first. It ignores that ties reduce the deviation, which makes alarms
// slightly rarer.
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

// segments is the number of segments with a rising minimum.
const segments = 6

// rises reports whether the minimum of each segment exceeds that of the previous one, and the total increase is at least
// minLeaked.
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
