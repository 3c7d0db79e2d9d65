package census

import (
	"math"
	"time"
)

// Bands is the number of age bands.
const Bands = 4

// boundMultiples are the lower bounds of the bands, in units of agedAfter. With the default of
// 10 minutes they are 10 min, 80 min, 5 h 20 and 10 h 40.
//
// One bound is not enough: if a leak has the same signature as sessions of an hour, their exits
// hide it among goroutines of ten minutes, but no session is left among those of ten hours.
// Each non-empty band costs a series. The values of the bounds between 8 and 64 matter more
// than their number.
var boundMultiples = [Bands]time.Duration{1, 8, 32, 64}

// Bounds returns the lower bounds of the age bands, youngest first. Each is the upper bound of
// the band before. agedAfter is limited to between a nanosecond and four years, so that no
// bound overflows.
func Bounds(agedAfter time.Duration) [Bands]time.Duration {
	agedAfter = min(max(agedAfter, 1), math.MaxInt64/boundMultiples[Bands-1])
	bounds := boundMultiples
	for i := range bounds {
		bounds[i] *= agedAfter
	}
	return bounds
}

// notAged is the band of goroutines below the lowest bound.
const notAged = -1

// bandScale assigns ages to bands and cohorts.
type bandScale struct {
	bounds [Bands]time.Duration
	// cohortUnit is the width of a cohort of goroutines that are not aged.
	cohortUnit time.Duration
}

func newScale(agedAfter time.Duration) bandScale {
	bounds := Bounds(agedAfter)
	return bandScale{bounds: bounds, cohortUnit: (bounds[0] + cohortsPerBound - 1) / cohortsPerBound}
}

// band returns the band of an age.
func (s *bandScale) band(age time.Duration) int8 {
	band := int8(notAged)
	for band < Bands-1 && age >= s.bounds[band+1] {
		band++
	}
	return band
}

// sameCohort reports whether goroutines of a band that were first seen at a and b share a
// cohort: whether both times are in the same cell of a grid. The cells have 1/64 of the width
// of the bound that the goroutines reach next. Each width is a multiple of the previous one, so
// that a cohort of one band is part of one cohort of the next.
func (s *bandScale) sameCohort(band int8, a, b time.Duration) bool {
	width := s.cohortUnit * boundMultiples[band+1]
	return a/width == b/width
}
