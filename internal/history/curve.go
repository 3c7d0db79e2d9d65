package history

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// A curve has slots values, which finally cover at least span. With 180, a value covers eight
// minutes after a day, and four of 720 pixels.
const (
	slots = 180
	span  = 24 * time.Hour
)

// curve is a number of goroutines or exits over time, NaN if unknown. All curves of a service share
// its timeline.
type curve [slots]float32

func newCurve() *curve {
	c := new(curve)
	for i := range c {
		c[i] = unknownValue
	}
	return c
}

var unknownValue = float32(math.NaN())

func isUnknown(v float32) bool { return v != v }

// timeline maps the values of a curve to times.
type timeline struct {
	start time.Time
	width time.Duration // of a slot; 0 before the first value
	n     int           // slots in use
}

// slot returns the slot of a time. If necessary, it makes room in all curves of the service.
func (h *History) slot(s *service, at time.Time) int {
	t := &s.time
	if t.width == 0 {
		t.start, t.width = at.Add(-s.window.width), s.window.width
	}
	i := int(at.Sub(t.start) / t.width)
	for i >= slots && t.width*slots < span {
		s.eachCurve((*curve).halve)
		t.width *= 2
		i = int(at.Sub(t.start) / t.width)
	}
	if over := i - (slots - 1); over > 0 {
		s.eachCurve(func(c *curve) { c.shift(over) })
		t.start = t.start.Add(time.Duration(over) * t.width)
		i = slots - 1
	}
	t.n = max(t.n, i+1)
	return max(i, 0)
}

func (s *service) eachCurve(do func(*curve)) {
	for _, c := range [...]*curve{s.total.count, s.total.instances} {
		if c != nil {
			do(c)
		}
	}
	for _, g := range s.groups {
		for _, c := range g.curve {
			if c != nil {
				do(c)
			}
		}
	}
}

// halve merges each two values into one, the later one if it is known.
func (c *curve) halve() {
	for i := range slots / 2 {
		v := c[2*i+1]
		if isUnknown(v) {
			v = c[2*i]
		}
		c[i] = v
	}
	for i := slots / 2; i < slots; i++ {
		c[i] = unknownValue
	}
}

// shift removes the oldest n values.
func (c *curve) shift(n int) {
	n = min(n, slots)
	copy(c[:], c[n:])
	for i := slots - n; i < slots; i++ {
		c[i] = unknownValue
	}
}

// set sets a value of c and returns c. If c is nil, it creates a curve, or returns nil if there are
// too many.
func (h *History) set(c *curve, slot int, value float64) *curve {
	if c == nil {
		if h.series >= h.config.MaxSeries {
			return nil
		}
		h.series++
		c = newCurve()
	}
	c[slot] = float32(value)
	return c
}

// band returns the index of the age band with a lower bound in seconds; -1 if text is not a bound, or
// if there are too many bands.
func (s *service) band(text string) int {
	bound, err := strconv.ParseFloat(text, 64)
	if err != nil || !(bound >= 0 && bound < 1e9) {
		return -1
	}
	if i := slices.Index(s.bounds, bound); i >= 0 {
		return i
	}
	if len(s.bounds) >= maxBands {
		return -1
	}
	s.bounds = append(s.bounds, bound)
	return len(s.bounds) - 1
}
