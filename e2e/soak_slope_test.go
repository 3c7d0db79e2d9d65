package e2e

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// sample is a value at a time.
type sample struct {
	at    time.Time
	value float64
}

// slope returns the increase in ten minutes by least squares, and its standard error by the residuals.
// At least three samples are required.
func slope(samples []sample) (rise, standardError float64) {
	const unit = 10 * time.Minute
	n := float64(len(samples))
	var meanAt, meanValue float64
	for _, s := range samples {
		meanAt += s.at.Sub(samples[0].at).Seconds() / n
		meanValue += s.value / n
	}
	off := func(s sample) (at, value float64) {
		return s.at.Sub(samples[0].at).Seconds() - meanAt, s.value - meanValue
	}
	var together, squares float64
	for _, s := range samples {
		at, value := off(s)
		together += at * value
		squares += at * at
	}
	perSecond := together / squares
	var residue float64
	for _, s := range samples {
		at, value := off(s)
		residue += (value - perSecond*at) * (value - perSecond*at)
	}
	return perSecond * unit.Seconds(), math.Sqrt(residue/(n-2)/squares) * unit.Seconds()
}

func TestSlope(t *testing.T) {
	begin := time.Unix(1_800_000_000, 0)
	for _, tc := range []struct {
		name          string
		values        []float64 // one a minute
		rise          float64
		standardError float64
	}{
		{"level", []float64{7, 7, 7}, 0, 0},
		{"rises", []float64{100, 102, 104, 106}, 20, 0},
		{"falls", []float64{3, 2, 1}, -10, 0},
		// Residues of 1 each, two degrees of freedom, squares of 5 minutes.
		{"noise about a level", []float64{1, 3, 3, 1}, 0, 10 * math.Sqrt(2.0/5)},
		// Residues of 0.6 and 1.8, each twice.
		{"a step", []float64{0, 0, 6, 6}, 24, 10 * math.Sqrt(3.6/5)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var samples []sample
			for i, v := range tc.values {
				samples = append(samples, sample{begin.Add(time.Duration(i) * time.Minute), v})
			}
			rise, standardError := slope(samples)
			assert.InDelta(t, tc.rise, rise, 1e-9)
			assert.InDelta(t, tc.standardError, standardError, 1e-9)
		})
	}
}
