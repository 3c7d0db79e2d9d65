package page

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
)

// plot is a chart as SVG: shapes by their path, and words where they stand.
type plot struct {
	Width, Height int
	Label         string // what it shows, in words
	Areas         []shape
	Exits         []bar
	Ticks         []tick // along the count
	Times         []tick
	Marks         []tick // versions
	Bottom, Right float64
	Base          float64 // where the exits begin
}

type shape struct {
	Class, Path string
}

type bar struct{ X, Y, Width, Height float64 }

type tick struct {
	X, Y float64
	Text string
	End  bool // the text ends at X
}

// The places of a chart: the words of the count at the left, of versions above, exits below.
const (
	plotLeft   = 44
	plotTop    = 26
	exitsSpace = 22
	timesSpace = 20
)

// legend names an area of a chart.
type legend struct{ Class, Text string }

// frame maps times and counts to the pixels of a chart.
type frame struct {
	left, top, width, height float64
	from, to                 time.Time
	most                     float64
}

func (f frame) x(t time.Time) float64 {
	return round(f.left + f.width*min(max(float64(t.Sub(f.from))/float64(f.to.Sub(f.from)), 0), 1))
}

func (f frame) y(n float64) float64 { return round(f.top + f.height*(1-n/f.most)) }

// newPlot draws a chart; nil if there is nothing to draw.
func newPlot(c history.Chart, versions []finding.Version, width, height int) *plot {
	first, last := known(c.Count)
	if last <= first {
		return nil
	}
	p := &plot{Width: width, Height: height}
	f := frame{
		left: plotLeft, top: plotTop, width: float64(width - plotLeft - 8), height: float64(height - plotTop - exitsSpace - timesSpace),
		from: c.Start.Add(time.Duration(first) * c.Step), to: c.Start.Add(time.Duration(last) * c.Step),
		most: niceAbove(largest(c.Count)),
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

// known returns the first and the last value that is known.
func known(values []float64) (first, last int) {
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

func largest(values []float64) float64 {
	most := 0.0
	for _, v := range values {
		if v > most {
			most = v
		}
	}
	return most
}

// niceAbove returns a round number that is no less than n.
func niceAbove(n float64) float64 {
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

// layers returns the tops of the areas that are drawn one over the other, the largest first:
// all goroutines, then those that are at least as old as each bound. A band that is not known
// is as good as empty: the census names those that are not.
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

// layerClass returns the class of an area: "young", or by its band.
func layerClass(i, bands int) string {
	if i == 0 {
		if bands == 0 {
			return "count"
		}
		return "young"
	}
	return "band" + strconv.Itoa(i)
}

// area returns the path below values, with a gap where too many are not known in a row.
func area(f frame, c history.Chart, values []float64, first, last int) string {
	var b strings.Builder
	start, end, gap := -1.0, -1.0, 0
	finish := func() {
		if start >= 0 {
			b.WriteString("V" + pixel(f.y(0)) + "H" + pixel(start) + "Z")
		}
		start = -1
	}
	for i := first; i <= last; i++ {
		v := values[i]
		if math.IsNaN(v) {
			if gap++; gap > bridged {
				finish()
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
		finish()
	}
	return b.String()
}

// bridged is how many values may be unknown in a row before a curve is broken.
const bridged = 3

func pixel(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// round returns a coordinate with one decimal at most.
func round(v float64) float64 { return math.Round(v*10) / 10 }

func (p *plot) addTicks(f frame) {
	for _, n := range [...]float64{0, f.most / 2, f.most} {
		p.Ticks = append(p.Ticks, tick{X: f.left - 6, Y: f.y(n), Text: compact(n)})
	}
	step := timeStep(f.to.Sub(f.from), int(f.width/90))
	for t := f.from.Truncate(step).Add(step); !t.After(f.to) && len(p.Times) < 20; t = t.Add(step) {
		p.Times = append(p.Times, tick{X: f.x(t), Y: p.Base + 14, Text: t.UTC().Format(timeFormat(step))})
	}
}

// compact returns a number in four characters: "1.2k".
func compact(n float64) string {
	for _, unit := range [...]string{"", "k", "M", "G"} {
		if n < 1000 {
			return strconv.FormatFloat(math.Round(n*10)/10, 'f', -1, 64) + unit
		}
		n /= 1000
	}
	return strconv.FormatFloat(n, 'g', 3, 64) + "T"
}

func timeStep(span time.Duration, most int) time.Duration {
	for _, step := range [...]time.Duration{
		time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	} {
		if span <= step*time.Duration(max(most, 1)) {
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

// addMarks adds the versions that came while the chart was drawn. Those close to each other
// share one label.
func (p *plot) addMarks(f frame, versions []finding.Version) {
	for _, v := range versions {
		if v.First.Before(f.from) || v.First.After(f.to) || v.Name == "" {
			continue
		}
		t := tick{X: f.x(v.First), Y: f.top - 10, Text: shortened(v.Name, 18), End: f.x(v.First) > f.left+f.width*0.75}
		if n := len(p.Marks); n > 0 && t.X-p.Marks[n-1].X < 64 {
			p.Marks[n-1].Text = "" // the latest of them is named
		}
		p.Marks = append(p.Marks, t)
	}
}

func (p *plot) addExits(f frame, c history.Chart, first, last int) {
	most := largest(c.Exits)
	width := max(1.5, f.width/float64(last-first+1)-1)
	for i := first; i <= last && i < len(c.Exits); i++ {
		if c.Exits[i] > 0 {
			height := round(max(2, (exitsSpace-6)*c.Exits[i]/most))
			x := f.x(c.Start.Add(time.Duration(i) * c.Step))
			p.Exits = append(p.Exits, bar{round(x - width/2), round(p.Base - height), round(width), height})
		}
	}
}

// plotLabel says in words what a chart shows.
func plotLabel(c history.Chart, first, last int) string {
	left := 0.0
	for _, n := range c.Exits {
		left += n
	}
	text := "Goroutines of the group over " + finding.Span(time.Duration(last-first)*c.Step) + ": from " +
		finding.Number(c.Count[first]) + " to " + finding.Number(c.Count[last])
	if len(c.Bands) > 0 {
		text += "; aged ones that left: " + finding.Number(left)
	}
	return text + "."
}

// legends names the areas of a chart, the youngest first.
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

// The size of a sparkline.
const (
	sparkWidth, sparkHeight = 120, 28
	sparkPoints             = 40
)

// sparkline returns the path of a count over time, empty if nothing is known of it.
func sparkline(values []float64) string {
	first, last := known(values)
	if last <= first {
		return ""
	}
	most := max(1, largest(values))
	stride := max(1, (last-first+sparkPoints-1)/sparkPoints)
	var b strings.Builder
	for i := last; i >= first; i -= stride {
		v := values[i]
		if math.IsNaN(v) {
			continue
		}
		to := byte('L')
		if b.Len() == 0 {
			to = 'M'
		}
		b.WriteByte(to)
		x := sparkWidth * float64(i-first) / float64(last-first)
		b.WriteString(strconv.Itoa(int(x)) + " " + strconv.Itoa(int(1+(sparkHeight-2)*(1-v/most))))
	}
	return b.String()
}
