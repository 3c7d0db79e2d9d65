package exectrace

import (
	"iter"
	"math"
	"slices"
	"time"
)

// Lifetimes is a histogram of how long goroutines lived. The bounds of its classes are a
// quarter of an octave apart, so that quantiles are at most 19% too high. The zero value is
// empty. It is not safe for concurrent use.
type Lifetimes struct {
	counts [lifetimeClasses]uint32
}

const (
	classesPerOctave = 4
	// shortestLifetime is the upper bound of the first class.
	shortestLifetime = time.Microsecond
	// lifetimeClasses cover up to 67 seconds, longer than any trace here; the last class
	// has no upper bound.
	lifetimeClasses = 26*classesPerOctave + 1
)

// Add counts a goroutine that lived for d.
func (l *Lifetimes) Add(d time.Duration) {
	class := 0
	if d > shortestLifetime {
		class = int(math.Ceil(classesPerOctave * math.Log2(float64(d)/float64(shortestLifetime))))
	}
	l.counts[min(class, lifetimeClasses-1)]++
}

// Merge adds the counts of other.
func (l *Lifetimes) Merge(other *Lifetimes) {
	for class, n := range other.counts {
		l.counts[class] += n
	}
}

// Count returns the number of goroutines counted.
func (l *Lifetimes) Count() int {
	count := 0
	for _, n := range l.All() {
		count += n
	}
	return count
}

// All returns the upper bound and the count of each class that is not empty, shortest first.
// The last class, which has no upper bound, is returned with its lower one.
func (l *Lifetimes) All() iter.Seq2[time.Duration, int] {
	return func(yield func(time.Duration, int) bool) {
		for class, n := range l.counts {
			bound := time.Duration(float64(shortestLifetime) * math.Exp2(float64(class)/classesPerOctave))
			if n > 0 && !yield(bound, int(n)) {
				return
			}
		}
	}
}

// LifetimeBounds returns histogram bounds for lifetimes, from 4 µs to 17 s in factors of 4.
// Each is the bound of a class, so that BucketCounts is exact.
func LifetimeBounds() []time.Duration {
	var all []time.Duration
	for bound := 4 * shortestLifetime; bound < 30*time.Second; bound *= 4 {
		all = append(all, bound)
	}
	return all
}

// BucketCounts returns the counts of the buckets with LifetimeBounds. The last bucket has no
// upper bound.
func (l *Lifetimes) BucketCounts() []uint64 {
	bounds := LifetimeBounds()
	counts := make([]uint64, len(bounds)+1)
	for longest, n := range l.All() {
		i, _ := slices.BinarySearch(bounds, longest)
		counts[i] += uint64(n)
	}
	return counts
}

// Quantile returns an upper bound of the lifetimes of the given share of goroutines, from 0
// to 1; 0 if none was counted.
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
