package main

import (
	_ "embed"
	"fmt"
	"io"
	"math"
	"strings"
	"text/template"

	"github.com/otel-goroutine/otel-goroutine/bench/internal/result"
)

//go:embed drawing.svg.tmpl
var drawing string

// The drawing, in pixels.
const (
	panelWidth, panelGap  = 390, 30
	plotTop, plotHeight   = 34, 180
	plotLeft, plotBreadth = 48, 300
)

// panel plots the growth of one cost on logarithmic axes.
type panel struct {
	Name     string
	X        int
	Points   []dot
	Even     string // line of proportional growth through the first point
	Exponent float64
	Across   []mark
	Up       []mark
}

type dot struct{ X, Y float64 }

// mark is a power of ten on an axis.
type mark struct {
	At   float64
	Text string
}

func draw(w io.Writer, parts []part) error {
	var panels []panel
	for _, p := range parts {
		if len(p.Growth) > 1 {
			panels = append(panels, newPanel(p.Name, p.Growth, len(panels)*(panelWidth+panelGap)))
		}
	}
	return template.Must(template.New("drawing").Parse(drawing)).Execute(w, map[string]any{
		"Panels": panels,
		"Width":  len(panels)*(panelWidth+panelGap) - panelGap,
		"Left":   plotLeft,
		"Right":  plotLeft + plotBreadth,
		"Top":    plotTop,
		"Base":   plotTop + plotHeight,
	})
}

func newPanel(name string, growth []result.Point, x int) panel {
	first, last := growth[0], growth[len(growth)-1]
	across := axis{float64(first.Number), float64(last.Number), plotLeft, plotBreadth}
	even := first.Cores * float64(last.Number) / float64(first.Number)
	up := axis{first.Cores, max(last.Cores, even), plotTop + plotHeight, -plotHeight}
	p := panel{Name: name, X: x, Exponent: result.Exponent(growth), Across: across.marks(), Up: up.marks()}
	for _, g := range growth {
		p.Points = append(p.Points, dot{across.at(float64(g.Number)), up.at(g.Cores)})
	}
	p.Even = fmt.Sprintf("%.1f,%.1f %.1f,%.1f", across.at(float64(first.Number)), up.at(first.Cores), across.at(float64(last.Number)), up.at(even))
	return p
}

// Line returns the line through the points.
func (p panel) Line() string {
	var line []string
	for _, d := range p.Points {
		line = append(line, fmt.Sprintf("%.1f,%.1f", d.X, d.Y))
	}
	return strings.Join(line, " ")
}

// axis is a logarithmic axis.
type axis struct{ from, to, begin, length float64 }

func (a axis) at(value float64) float64 {
	return a.begin + a.length*math.Log(value/a.from)/math.Log(a.to/a.from)
}

// marks returns the powers of ten on the axis.
func (a axis) marks() []mark {
	var marks []mark
	for e := math.Ceil(math.Log10(a.from) - 0.02); math.Pow(10, e) <= a.to*1.05; e++ {
		value := math.Pow(10, e)
		marks = append(marks, mark{a.at(value), text(value)})
	}
	return marks
}

// text formats a power of ten.
func text(value float64) string {
	switch {
	case value >= 1e6:
		return fmt.Sprintf("%.0f million", value/1e6)
	case value >= 1e3:
		return fmt.Sprintf("%.0f,000", value/1e3)
	}
	return fmt.Sprintf("%g", value)
}
