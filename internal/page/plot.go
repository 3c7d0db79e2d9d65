package page

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
)

// plot is a chart of goroutines over time, as SVG.
type plot struct {
	Width, Height int
	Label         string // description in words
	Areas         []shape
	Exits         []bar
	Ticks         []tick // of the counts
	Times         []tick
	Marks         []tick // versions
	Bottom, Right float64
	Base          float64 // y of the bottom of the exits
}

// shape is an SVG path with a CSS class.
type shape struct {
	Class, Path string
}

type bar struct{ X, Y, Width, Height float64 }

type tick struct {
	X, Y float64
	Text string
	End  bool // the text ends at X
}

// The layout, in pixels: labels of counts at the left, versions above, exits and times below.
const (
	plotLeft   = 44
	plotTop    = 26
	exitsSpace = 22
	timesSpace = 20
)

// legend is the legend of an area.
type legend struct{ Class, Text string }

// frame maps times and counts to the pixels of a chart.
type frame struct {
	left, top, width, height float64
	from, to                 time.Time
	maxCount                 float64
}

func (f frame) x(t time.Time) float64 {
	return round(f.left + f.width*min(max(float64(t.Sub(f.from))/float64(f.to.Sub(f.from)), 0), 1))
}

func (f frame) y(n float64) float64 { return round(f.top + f.height*(1-n/f.maxCount)) }

// newPlot returns the plot of a chart; nil if the chart has fewer than two values.
func newPlot(c history.Chart, versions []finding.Version, width, height int) *plot {
	first, last := knownRange(c.Count)
	if last <= first {
		return nil
	}
	p := &plot{Width: width, Height: height}
	f := frame{
		left: plotLeft, top: plotTop, width: float64(width - plotLeft - 8), height: float64(height - plotTop - exitsSpace - timesSpace),
		from: c.Start.Add(time.Duration(first) * c.Step), to: c.Start.Add(time.Duration(last) * c.Step),
		maxCount: roundUp(maxValue(c.Count)),
	}
	p.Bottom, p.Right, p.Base = f.top+f.height, f.left+f.width, f.top+f.height+exitsSpace
	for i, layer := range layers(c) {
		p.Areas = append(p.Areas, shape{layerClass(i, len(c.Bands)), area(f, c, layer, first, last)})
	}
	p.addTicks(f)
	p.addMarks(f, versions)
	p.addExits(f, c, first, last)
	p.Label = plotLabel(c, first, last)
	return p
}

// knownRange returns the indexes of the first and the last known value, -1 if there are none.
func knownRange(values []float64) (first, last int) {
	first, last = -1, -1
	for i, v := range values {
		if !math.IsNaN(v) {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	return first, last
}

func maxValue(values []float64) float64 {
	largest := 0.0
	for _, v := range values {
		if v > largest { // false for NaN
			largest = v
		}
	}
	return largest
}

// roundUp returns a round number that is at least n.
func roundUp(n float64) float64 {
	if n <= 2 {
		return 2
	}
	size := math.Pow(10, math.Floor(math.Log10(n)))
	for _, step := range [...]float64{1, 2, 4, 5, 8, 10} {
		if step*size >= n {
			return step * size
		}
	}
	return n
}

// layers returns the upper edges of the areas, which are drawn over each other, the largest first:
// all goroutines, then those at least as old as the lower bound of each age band. An unknown band
// is empty, since the census names all others.
func layers(c history.Chart) [][]float64 {
	all := [][]float64{c.Count}
	older := make([]float64, len(c.Count))
	tops := make([][]float64, len(c.Bands))
	for k := len(c.Bands) - 1; k >= 0; k-- {
		tops[k] = make([]float64, len(c.Count))
		for i := range older {
			if v := c.Bands[k].Values[i]; !math.IsNaN(v) {
				older[i] += v
			}
			tops[k][i] = math.NaN()
			if !math.IsNaN(c.Count[i]) {
				tops[k][i] = min(older[i], c.Count[i])
			}
		}
	}
	return append(all, tops...)
}

// layerClass returns the CSS class of the area of layer i.
func layerClass(i, bands int) string {
	if i == 0 {
		if bands == 0 {
			return "count"
		}
		return "young"
	}
	return "band" + strconv.Itoa(i)
}

// area returns the SVG path of the area below values, with a gap where more than maxGap consecutive
// values are unknown.
func area(f frame, c history.Chart, values []float64, first, last int) string {
	var b strings.Builder
	start, end, gap := -1.0, -1.0, 0
	closePath := func() {
		if start >= 0 {
			b.WriteString("V" + pixel(f.y(0)) + "H" + pixel(start) + "Z")
		}
		start = -1
	}
	for i := first; i <= last; i++ {
		v := values[i]
		if math.IsNaN(v) {
			if gap++; gap > maxGap {
				closePath()
			}
			continue
		}
		gap = 0
		x := f.x(c.Start.Add(time.Duration(i) * c.Step))
		if start < 0 {
			start = x
			b.WriteByte('M')
		} else {
			b.WriteByte('L')
		}
		end = x
		b.WriteString(pixel(x) + " " + pixel(f.y(v)))
	}
	if end >= 0 {
		closePath()
	}
	return b.String()
}

// maxGap is the number of consecutive unknown values that a curve bridges.
const maxGap = 3

func pixel(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// round rounds a coordinate to one decimal.
func round(v float64) float64 { return math.Round(v*10) / 10 }

func (p *plot) addTicks(f frame) {
	for _, n := range [...]float64{0, f.maxCount / 2, f.maxCount} {
		p.Ticks = append(p.Ticks, tick{X: f.left - 6, Y: f.y(n), Text: compact(n)})
	}
	step := timeStep(f.to.Sub(f.from), int(f.width/90))
	for t := f.from.Truncate(step).Add(step); !t.After(f.to) && len(p.Times) < 20; t = t.Add(step) {
		p.Times = append(p.Times, tick{X: f.x(t), Y: p.Base + 14, Text: t.UTC().Format(timeFormat(step))})
	}
}

// compact formats a number in about four characters: "1.2k".
func compact(n float64) string {
	for _, unit := range [...]string{"", "k", "M", "G"} {
		if n < 1000 {
			return strconv.FormatFloat(math.Round(n*10)/10, 'f', -1, 64) + unit
		}
		n /= 1000
	}
	return strconv.FormatFloat(n, 'g', 3, 64) + "T"
}

// timeStep returns the time between two ticks if there may be at most maxTicks.
func timeStep(span time.Duration, maxTicks int) time.Duration {
	for _, step := range [...]time.Duration{
		time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	} {
		if span <= step*time.Duration(max(maxTicks, 1)) {
			return step
		}
	}
	return 24 * time.Hour
}

func timeFormat(step time.Duration) string {
	if step < time.Minute {
		return "15:04:05"
	}
	return "15:04"
}

// addMarks adds the versions that began within the chart. If marks are close together, only the
// last has a label.
func (p *plot) addMarks(f frame, versions []finding.Version) {
	for _, v := range versions {
		if v.First.Before(f.from) || v.First.After(f.to) || v.Name == "" {
			continue
		}
		t := tick{X: f.x(v.First), Y: f.top - 10, Text: truncate(v.Name, 18), End: f.x(v.First) > f.left+f.width*0.75}
		if n := len(p.Marks); n > 0 && t.X-p.Marks[n-1].X < 64 {
			p.Marks[n-1].Text = ""
		}
		p.Marks = append(p.Marks, t)
	}
}

func (p *plot) addExits(f frame, c history.Chart, first, last int) {
	largest := maxValue(c.Exits)
	width := max(1.5, f.width/float64(last-first+1)-1)
	for i := first; i <= last && i < len(c.Exits); i++ {
		if c.Exits[i] > 0 {
			height := round(max(2, (exitsSpace-6)*c.Exits[i]/largest))
			x := f.x(c.Start.Add(time.Duration(i) * c.Step))
			p.Exits = append(p.Exits, bar{round(x - width/2), round(p.Base - height), round(width), height})
		}
	}
}

// plotLabel describes a chart in words, for screen readers.
func plotLabel(c history.Chart, first, last int) string {
	exits := 0.0
	for _, n := range c.Exits {
		exits += n
	}
	text := "Goroutines of the group over " + finding.Span(time.Duration(last-first)*c.Step) + ": from " +
		finding.Number(c.Count[first]) + " to " + finding.Number(c.Count[last])
	if len(c.Bands) > 0 {
		text += "; exits of aged goroutines: " + finding.Number(exits)
	}
	return text + "."
}

// legends returns the legends of the areas, youngest first.
func legends(c history.Chart) []legend {
	if len(c.Bands) == 0 {
		return nil
	}
	all := []legend{{"young", "younger than " + finding.Span(c.Bands[0].Min)}}
	for i, b := range c.Bands {
		text := finding.Span(b.Min) + " and older"
		if i+1 < len(c.Bands) {
			text = finding.Span(b.Min) + " to " + finding.Span(c.Bands[i+1].Min)
		}
		all = append(all, legend{layerClass(i+1, len(c.Bands)), text})
	}
	return all
}

// The size of a sparkline in pixels, and its maximum number of points.
const (
	sparkWidth, sparkHeight = 120, 28
	sparkPoints             = 40
)

// sparkline returns the SVG path of values; empty if fewer than two are known.
func sparkline(values []float64) string {
	first, last := knownRange(values)
	if last <= first {
		return ""
	}
	largest := max(1, maxValue(values))
	stride := max(1, (last-first+sparkPoints-1)/sparkPoints)
	var b strings.Builder
	for i := last; i >= first; i -= stride {
		v := values[i]
		if math.IsNaN(v) {
			continue
		}
		command := byte('L')
		if b.Len() == 0 {
			command = 'M'
		}
		b.WriteByte(command)
		x := sparkWidth * float64(i-first) / float64(last-first)
		b.WriteString(strconv.Itoa(int(x)) + " " + strconv.Itoa(int(1+(sparkHeight-2)*(1-v/largest))))
	}
	return b.String()
}
