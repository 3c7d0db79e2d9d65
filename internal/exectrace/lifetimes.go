package exectrace

import (
	"math"
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
	for _, n := range l.counts {
		count += int(n)
	}
	return count
}

// Quantile returns a time than which the given share of the goroutines did not live
// longer; 0 if none was counted.
func (l *Lifetimes) Quantile(share float64) time.Duration {
	left := int(math.Ceil(share * float64(l.Count())))
	if left == 0 {
		return 0
	}
	class := 0
	for left -= int(l.counts[0]); left > 0; left -= int(l.counts[class]) {
		class++
	}
	return time.Duration(float64(shortest) * math.Exp2(float64(class)/classesPerOctave))
}
