package exectrace

import (
	"iter"
	"math"
	"slices"
	"time"
)

// Lifetimes counts how long goroutines lived, in classes whose bounds are a quarter of an
// octave apart: what is told of a lifetime is at most 19% too high. The zero value is
// empty.
type Lifetimes struct {
	counts [lifetimeClasses]uint32
}

const (
	classesPerOctave = 4
	// shortest is the upper bound of the first class.
	shortest = time.Microsecond
	// lifetimeClasses reach up to 67 seconds, which is longer than any trace here; the
	// last has no bound.
	lifetimeClasses = 26*classesPerOctave + 1
)

// Add counts a goroutine that lived for d.
func (l *Lifetimes) Add(d time.Duration) {
	class := 0
	if d > shortest {
		class = int(math.Ceil(classesPerOctave * math.Log2(float64(d)/float64(shortest))))
	}
	l.counts[min(class, lifetimeClasses-1)]++
}

// Merge adds what another has counted.
func (l *Lifetimes) Merge(other *Lifetimes) {
	for class, n := range other.counts {
		l.counts[class] += n
	}
}

// Count returns how many goroutines were counted.
func (l *Lifetimes) Count() int {
	count := 0
	for _, n := range l.All() {
		count += n
	}
	return count
}

// All returns the classes that are not empty, shortest first: the longest that a lifetime in
// it can be, and how many were counted. The last class has no such bound, and is told by
// that of the lifetimes below it.
func (l *Lifetimes) All() iter.Seq2[time.Duration, int] {
	return func(yield func(time.Duration, int) bool) {
		for class, n := range l.counts {
			bound := time.Duration(float64(shortest) * math.Exp2(float64(class)/classesPerOctave))
			if n > 0 && !yield(bound, int(n)) {
				return
			}
		}
	}
}

// LifetimeBounds returns the upper bounds of a histogram of lifetimes, from 4 µs to 17 s by
// factors of 4. They are bounds of classes, so that its counts are exact.
func LifetimeBounds() []time.Duration {
	var all []time.Duration
	for bound := 4 * shortest; bound < 30*time.Second; bound *= 4 {
		all = append(all, bound)
	}
	return all
}

// BucketCounts returns the counts of the histogram with LifetimeBounds, of which the last
// bucket has no bound.
func (l *Lifetimes) BucketCounts() []uint64 {
	bounds := LifetimeBounds()
	counts := make([]uint64, len(bounds)+1)
	for longest, n := range l.All() {
		i, _ := slices.BinarySearch(bounds, longest)
		counts[i] += uint64(n)
	}
	return counts
}

// Quantile returns a time than which the given share of the goroutines did not live
// longer; 0 if none was counted.
func (l *Lifetimes) Quantile(share float64) time.Duration {
	left := int(math.Ceil(share * float64(l.Count())))
	var longest time.Duration
	for bound, n := range l.All() {
		if left <= 0 {
			break
		}
		left, longest = left-n, bound
	}
	return longest
}
