package page

import (
	"cmp"
	"slices"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
)

// icicle is where the goroutines of a service wait, as SVG: states, their packages, and the
// lines of those, each as high as its share.
type icicle struct {
	Width, Height int
	Cells         []cell
}

// cell is a rectangle of an icicle.
type cell struct {
	X, Y, Width, Height float64
	Class               string
	Text                string // as much as there is room for; empty if there is none
	Title               string // all of it
	Link                string // to the finding of a line that leaks
}

// node is a state, a package or a line, and the goroutines there.
type node struct {
	name     string
	count    float64
	link     string
	children []*node
}

// The sizes of an icicle, in pixels.
const (
	icicleHeight = 460
	leastCell    = 17 // what a word needs
	letter       = 6.8
)

// newIcicle draws the lines of a service; nil if there are none.
func newIcicle(lines []history.Line, total float64, leaking map[string]string, width int) *icicle {
	root := treeOf(lines, leaking)
	if rest := total - root.count; rest >= 1 {
		root.children = append(root.children, &node{name: "other", count: rest})
		root.count = total
	}
	if root.count <= 0 {
		return nil
	}
	root.fold(leastCell * root.count / icicleHeight)
	d := &icicle{Width: width, Height: icicleHeight}
	d.draw(root, 0, 0, icicleHeight, root.count)
	return d
}

// treeOf sorts lines by state and package.
func treeOf(lines []history.Line, leaking map[string]string) *node {
	root := &node{}
	index := make(map[[2]string]*node)
	child := func(of *node, state, name string) *node {
		key := [2]string{state, name}
		n := index[key]
		if n == nil {
			n = &node{name: name}
			index[key] = n
			of.children = append(of.children, n)
		}
		return n
	}
	for _, l := range lines {
		state := child(root, l.Place.State, "")
		state.name = l.Place.State
		pkg := child(state, l.Place.State, "p"+packageOf(cmpOr(l.Place.Function, l.Place.Entry)))
		leaf := &node{name: at(l.Place) + " " + packageless(l.Place.Function), count: l.Count, link: leaking[l.Place.Group()]}
		pkg.children = append(pkg.children, leaf)
		for _, n := range [...]*node{root, state, pkg} {
			n.count += l.Count
		}
	}
	for key, n := range index {
		if key[1] != "" {
			n.name = key[1][1:]
		}
	}
	return root
}

// fold puts the children of every node in order, and those that are too small for a word into
// one. Lines that leak stay.
func (n *node) fold(least float64) {
	if len(n.children) == 0 {
		return
	}
	slices.SortFunc(n.children, func(a, b *node) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.name, b.name))
	})
	rest := &node{}
	folded := 0
	n.children = slices.DeleteFunc(n.children, func(c *node) bool {
		if c.count >= least || c.leaks() {
			return false
		}
		rest.count += c.count
		folded++
		return true
	})
	if folded > 0 {
		rest.name = plural(float64(folded), "other")
		if folded > 1 {
			rest.name = finding.Number(float64(folded)) + " others"
		}
		n.children = append(n.children, rest)
	}
	for _, c := range n.children {
		c.fold(least)
	}
}

func (n *node) leaks() bool {
	return n.link != "" || slices.ContainsFunc(n.children, (*node).leaks)
}

// draw draws the children of a node between two heights.
func (d *icicle) draw(n *node, depth int, top, height, total float64) {
	widths := [...]float64{0.2, 0.35, 0.45}
	if depth >= len(widths) {
		return
	}
	x := 0.0
	for _, w := range widths[:depth] {
		x += w * float64(d.Width)
	}
	width := widths[depth] * float64(d.Width)
	for _, c := range n.children {
		h := height * c.count / n.count
		if h < 0.5 {
			continue
		}
		share := finding.Number(100*c.count/total) + "%"
		box := cell{
			X: round(x), Y: round(top), Width: round(width - 1), Height: round(max(0.5, h-1)),
			Class: "cell d" + string(rune('0'+depth)), Title: short(c.name) + ": " + plural(c.count, "goroutine") + ", " + share, Link: c.link,
		}
		if c.link != "" {
			box.Class += " leaks"
		}
		if h >= leastCell-1 {
			box.Text = fit(finding.Number(c.count)+" "+c.name, int((width-12)/letter))
		}
		d.Cells = append(d.Cells, box)
		d.draw(c, depth+1, top, h, total)
		top += h
	}
}

// fit returns as much of a text as so many letters hold. The end of a package or a line says
// more than its begin.
func fit(text string, letters int) string {
	runes := []rune(text)
	if len(runes) <= letters {
		return text
	}
	if letters < 4 {
		return ""
	}
	half := letters / 2
	return string(runes[:half-1]) + "…" + string(runes[len(runes)-(letters-half):])
}
