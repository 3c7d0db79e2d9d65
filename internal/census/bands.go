package census

import (
	"math"
	"time"
)

// Bands is the number of age bands.
const Bands = 4

// multiples are the lower bounds of the bands, in agedAfter. With the default of 10
// minutes they are 10 min, 80 min, 5 h 20 and 10 h 40.
//
// One bound is not enough: a leak beside sessions of an hour has their exits in its
// group, and among goroutines of ten minutes it cannot be told from them. Among those
// of ten hours there are no sessions left. Each band costs a series where somebody is in
// it, and where the bounds between 8 and 64 lie matters more than how many there are.
var multiples = [Bands]time.Duration{1, 8, 32, 64}

// Bounds returns the lower bounds of the age bands, the youngest first. A band ends
// where the next begins. The least agedAfter is a nanosecond, and the greatest four
// years, so that all bounds can be told.
func Bounds(agedAfter time.Duration) [Bands]time.Duration {
	agedAfter = min(max(agedAfter, 1), math.MaxInt64/multiples[Bands-1])
	bounds := multiples
	for i := range bounds {
		bounds[i] *= agedAfter
	}
	return bounds
}

// young is the band of goroutines that are not aged.
const young = -1

// scale tells the band of an age, and which goroutines share a cohort.
type scale struct {
	bounds [Bands]time.Duration
	// unit is the width of a cohort of goroutines that are not aged.
	unit time.Duration
}

func newScale(agedAfter time.Duration) scale {
	bounds := Bounds(agedAfter)
	return scale{bounds: bounds, unit: (bounds[0] + cohortsPerBound - 1) / cohortsPerBound}
}

// band returns the band of an age.
func (s *scale) band(age time.Duration) int8 {
	band := int8(young)
	for band < Bands-1 && age >= s.bounds[band+1] {
		band++
	}
	return band
}

// shared reports whether goroutines of a band that were first seen at a and b share a
// cohort: at times in the same cell of a grid. Its width is 1/64 of the bound that they
// come to next. Each width is a multiple of the one before, so that a cohort of one band
// is part of one cohort of the next.
func (s *scale) shared(band int8, a, b time.Duration) bool {
	width := s.unit * multiples[band+1]
	return a/width == b/width
}
