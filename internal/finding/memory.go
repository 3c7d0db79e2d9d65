package finding

import "math"

// memory is the memory of a process in bytes, and the setting of its garbage collector.
type memory struct {
	Stack     sample `json:"stack"`
	Other     sample `json:"other"`
	Limit     sample `json:"limit"`
	Goal      sample `json:"goal"`
	GCPercent sample `json:"gc_percent"`
}

func (m *memory) observe(name metric, p Point) {
	to := &m.Other
	switch {
	case name == memoryLimit:
		to = &m.Limit
	case name == memoryGoal:
		to = &m.Goal
	case name == gcPercent:
		to = &m.GCPercent
	case p.Attributes.get(keyMemoryType) == memoryTypeStack:
		to = &m.Stack
	}
	to.set(p.At, p.Value)
}

// noLimit is below the value that the runtime has if GOMEMLIMIT is not set, the largest integer.
const noLimit = 1 << 62

// limit returns GOMEMLIMIT, 0 if there is none.
func (m *memory) limit() float64 {
	if m.Limit.Value >= noLimit {
		return 0
	}
	return max(0, m.Limit.Value)
}

// minHeap is the smallest goal of the garbage collector at GOGC=100. It does not depend on the
// heap.
const minHeap = 4 << 20

// paced reports whether the goal of the garbage collector follows the live heap.
func (m *memory) paced() bool {
	lowest := minHeap * m.GCPercent.Value / 100
	limited := m.limit() > 0 && m.Goal.Value+m.Stack.Value > 0.9*m.limit()
	return m.Goal.known() && m.GCPercent.Value > 0 && m.Goal.Value > 1.05*lowest && !limited
}

// costs are the fits of stacks and of the goal of the garbage collector on leaked goroutines. Half
// of the heap in use is garbage, so it has no fit.
type costs struct {
	Stack fit `json:"stack"`
	Goal  fit `json:"goal"`
}

func (c *costs) merge(d *costs) {
	c.Stack.merge(&d.Stack)
	c.Goal.merge(&d.Goal)
}

// measureMemory adds the memory of the leaking processes to their fits.
func (r *record) measureMemory(s *service) {
	if r.Phase != open {
		return
	}
	var counts headcount
	for _, w := range r.Rows {
		if w.Severity.Value > 0 {
			counts.addRow(r, w, w.Count.Value)
		}
	}
	for name, count := range counts.byProcess {
		p := s.Processes[name]
		if p == nil || p.hours <= 0 || !p.Memory.Stack.At.Equal(p.Last) {
			continue
		}
		c := r.Cost[name]
		if c == nil {
			if r.Cost == nil {
				r.Cost = make(map[string]*costs)
			}
			c = &costs{}
			r.Cost[name] = c
		}
		others := max(0, p.Goroutines.Value-count)
		c.Stack.add(count, others, p.Memory.Stack.Value)
		if p.Memory.paced() {
			c.Goal.add(count, others, p.Memory.Goal.Value)
			c.Goal.GCPercent = p.Memory.GCPercent.Value
		}
	}
}

// Memory is the memory that a finding holds, in bytes.
type Memory struct {
	// PerGoroutine is what one leaked goroutine holds, its stack included. Error is its standard
	// error.
	PerGoroutine, Error float64
	// Stack is the stack of one goroutine.
	Stack float64
	// Held is what all goroutines hold.
	Held float64
	// AtLeast is set if the memory of the processes is unknown, and only the smallest stacks
	// are counted.
	AtLeast bool
}

// minStack is the smallest stack of a goroutine.
const minStack = 2 << 10

// memory returns the memory that count goroutines hold, and the growth of the memory of a process
// with each.
func (r *record) memory(count float64) (m Memory, growth float64) {
	total := r.PastCost
	for _, name := range sorted(r.Cost) {
		total.merge(r.Cost[name])
	}
	stack, _, ok := total.Stack.slope()
	if stack = max(stack, minStack); !ok {
		stack = minStack
	}
	goal, stdErr, ok := total.Goal.slope()
	if !ok {
		return Memory{PerGoroutine: minStack, Stack: minStack, Held: minStack * count, AtLeast: true}, minStack
	}
	// The goal is live + (live + stacks + globals) · GOGC/100.
	gc := total.Goal.GCPercent / 100
	heap := max(0, (goal-stack*gc)/(1+gc))
	m = Memory{PerGoroutine: heap + stack, Error: stdErr / (1 + gc), Stack: stack}
	m.Held = m.PerGoroutine * count
	return m, goal + stack
}

// fit is a linear regression of memory on the number of leaked goroutines of a process, x, and on
// that of its other goroutines, z, which are its load. Sums of squares are about the mean (Welford)
// and added over processes, so that only changes within a process count.
type fit struct {
	N      float64 `json:"n"`
	Groups float64 `json:"groups"`
	X      float64 `json:"x"` // means
	Z      float64 `json:"z"`
	Y      float64 `json:"y"`
	XX     float64 `json:"xx"`
	ZZ     float64 `json:"zz"`
	YY     float64 `json:"yy"`
	XZ     float64 `json:"xz"`
	XY     float64 `json:"xy"`
	ZY     float64 `json:"zy"`

	GCPercent float64 `json:"gc_percent,omitempty"`
}

func (f *fit) add(x, z, y float64) {
	f.N++
	f.Groups = 1
	dx, dz, dy := x-f.X, z-f.Z, y-f.Y
	f.X += dx / f.N
	f.Z += dz / f.N
	f.Y += dy / f.N
	f.XX += dx * (x - f.X)
	f.ZZ += dz * (z - f.Z)
	f.YY += dy * (y - f.Y)
	f.XZ += dx * (z - f.Z)
	f.XY += dx * (y - f.Y)
	f.ZY += dz * (y - f.Y)
}

func (f *fit) merge(g *fit) {
	f.N += g.N
	f.Groups += g.Groups
	f.XX, f.ZZ, f.YY = f.XX+g.XX, f.ZZ+g.ZZ, f.YY+g.YY
	f.XZ, f.XY, f.ZY = f.XZ+g.XZ, f.XY+g.XY, f.ZY+g.ZY
	if g.GCPercent > 0 {
		f.GCPercent = g.GCPercent
	}
}

// minPoints is the minimum number of points of a line. minIndependence is the share of the variance
// of the leaked goroutines that must be independent of the others to fit a slope for both.
const (
	minPoints       = 10
	minIndependence = 0.05
)

// line is the result of a fit: memory grows by leaked with each leaked goroutine and by other with
// each of the others. noise is the standard deviation from the line, err the standard error of
// leaked.
type line struct{ leaked, other, noise, err float64 }

func (f *fit) line() (l line, ok bool) {
	freedom := f.N - f.Groups - 1
	if f.N < minPoints || freedom < 1 || f.XX <= 0 {
		return line{}, false
	}
	l.leaked = f.XY / f.XX
	scale, residual := 1/f.XX, f.YY-l.leaked*f.XY
	if det := f.XX*f.ZZ - f.XZ*f.XZ; det > minIndependence*f.XX*f.ZZ && f.ZZ > 0 && freedom > 1 {
		l.leaked = (f.XY*f.ZZ - f.ZY*f.XZ) / det
		l.other = (f.ZY*f.XX - f.XY*f.XZ) / det
		scale, residual = f.ZZ/det, f.YY-l.leaked*f.XY-l.other*f.ZY
		freedom--
	}
	l.noise = math.Sqrt(max(0, residual) / freedom)
	l.err = l.noise * math.Sqrt(scale)
	return l, true
}

// slope returns the growth of memory with each leaked goroutine, and its standard error. It returns
// false if the slope is less than twice its error.
func (f *fit) slope() (slope, stdErr float64, ok bool) {
	l, ok := f.line()
	return l.leaked, l.err, ok && l.leaked > 2*l.err
}

// smooth returns the fitted memory of a process with the given numbers of goroutines, or measured if
// the fit deviates from it by more than maxDeviation.
func (f *fit) smooth(leaked, others, measured float64) float64 {
	l, ok := f.line()
	fitted := f.Y + l.leaked*(leaked-f.X) + l.other*(others-f.Z)
	if !ok || math.Abs(fitted-measured) > maxDeviation*l.noise {
		return measured
	}
	return fitted
}

// maxDeviation is the maximum deviation of a measurement from the fit, in standard deviations. Beyond
// that the process has changed.
const maxDeviation = 3
