package main

import (
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/template"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// scene is one panel of the drawing in the README: the first group of a simulated case in its first day.
type scene struct {
	family string
	seed   int
	// Title names the group, Caption describes its census.
	Title, Caption string
}

// scenes have similar counts, all of which have risen by noon, but different censuses.
var scenes = []scene{
	{"leak, 0.2 a minute", 1, "A leak, 12 an hour", "old ones gather, none leaves"},
	{"daily swing", 1, "Requests by day", "old ones leave soon"},
	{"warm-up", 1, "A pool that fills", "old ones, but no new ones"},
	{"sessions of 2 h on average", 1, "Sessions of 2 hours", "old ones leave"},
}

// The drawing, in pixels.
const (
	panelWidth, panelGap = 200, 20
	plotTop, plotHeight  = 34, 110
	exitsTop             = plotTop + plotHeight + 8
	exitsHeight          = 28
	drawnEvery           = 15 // minutes
)

// panel is a scene to draw. Count and Aged are the points of polylines.
type panel struct {
	scene
	X           int
	Count, Aged string
	Exits       []bar // of each hour
	Most        int   // of the count
	Verdict     string
}

type bar struct{ X, Height float64 }

//go:embed drawing.svg.tmpl
var drawing string

// draw draws the scenes.
func draw(w io.Writer) error {
	var panels []panel
	for i, s := range scenes {
		p, err := s.panel()
		if err != nil {
			return err
		}
		p.X = i * (panelWidth + panelGap)
		panels = append(panels, p)
	}
	return template.Must(template.New("drawing").Parse(drawing)).Execute(w, map[string]any{
		"Panels": panels,
		"Width":  len(panels)*(panelWidth+panelGap) - panelGap,
		"Base":   plotTop + plotHeight,
		"Exits":  exitsTop,
	})
}

// panel simulates a scene and passes it to the detector.
func (s scene) panel() (panel, error) {
	all := families()
	i := slices.IndexFunc(all, func(f family) bool { return f.name == s.family })
	if i < 0 {
		return panel{}, fmt.Errorf("the drawing has a panel of family %q, which does not exist", s.family)
	}
	f := all[i]
	r := random(f.name, s.seed)
	t := f.make(r)
	s0 := simulate(r, t.processes[0], int(day))
	group, function := s0.groups[0], t.processes[0].groups[0].function
	p := panel{scene: s, Most: int(slices.Max(group.count)), Verdict: "no leak"}
	p.Count, p.Aged = p.line(group.count), p.line(group.aged[0])
	p.Exits = exitsByHour(group.exits[0])
	j := newJudge(trial{leaks: []leak{{subjects: []string{function}}}}, 0, growth.Probable)
	replay(trial{processes: t.processes[:1]}, []*series{s0}, true, lifetimeDefault, j)
	if found := j.result.found[0]; found != notFound {
		p.Verdict = fmt.Sprintf("probable leak at %d:%02d", int(found)/60, int(found)%60)
	}
	return p, nil
}

func (p panel) line(level []int32) string {
	var points strings.Builder
	for m := 0; m < len(level); m += drawnEvery {
		fmt.Fprintf(&points, "%.1f,%.1f ", float64(m)/day*panelWidth,
			plotTop+plotHeight*(1-float64(level[m])/float64(p.Most)))
	}
	return strings.TrimSpace(points.String())
}

// exitsByHour returns a bar for each hour with exits of aged goroutines. A bar has its full height at fifty exits.
func exitsByHour(exits []int32) []bar {
	const full = 50
	var bars []bar
	for h := range int(day / hour) {
		n := exits[min((h+1)*int(hour), len(exits)-1)] - exits[h*int(hour)]
		if n > 0 {
			bars = append(bars, bar{float64(h) * hour / day * panelWidth, exitsHeight * min(1, float64(n)/full)})
		}
	}
	return bars
}
