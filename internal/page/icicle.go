package page

import (
	"cmp"
	"slices"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
)

// icicle is an icicle chart of the places where the goroutines of a service wait, as SVG: states,
// packages and lines from left to right, each as high as its share.
type icicle struct {
	Width, Height int
	Cells         []cell
}

// cell is a rectangle of an icicle.
type cell struct {
	X, Y, Width, Height float64
	Class               string
	Text                string // shortened to the width; empty if the cell is too low
	Title               string // the complete text
	Link                string // to the finding, if the line leaks
}

// node is a state, a package or a line, with its number of goroutines.
type node struct {
	name     string
	count    float64
	link     string
	children []*node
}

// Sizes in pixels.
const (
	icicleHeight  = 460
	minCellHeight = 17 // of a cell with text
	letterWidth   = 6.8
)

// newIcicle returns the icicle of a service with total goroutines; nil if there are none. leaking
// maps groups that leak to links.
func newIcicle(lines []history.Line, total float64, leaking map[string]string, width int) *icicle {
	root := treeOf(lines, leaking)
	if rest := total - root.count; rest >= 1 {
		root.children = append(root.children, &node{name: "other", count: rest})
		root.count = total
	}
	if root.count <= 0 {
		return nil
	}
	root.fold(minCellHeight * root.count / icicleHeight)
	c := &icicle{Width: width, Height: icicleHeight}
	c.draw(root, 0, 0, icicleHeight, root.count)
	return c
}

// treeOf groups lines by state and package.
func treeOf(lines []history.Line, leaking map[string]string) *node {
	root := &node{}
	index := make(map[[2]string]*node)
	child := func(parent *node, state, name string) *node {
		key := [2]string{state, name}
		n := index[key]
		if n == nil {
			n = &node{name: name}
			index[key] = n
			parent.children = append(parent.children, n)
		}
		return n
	}
	for _, l := range lines {
		state := child(root, l.Place.State, "")
		state.name = l.Place.State
		pkg := child(state, l.Place.State, "p"+packageOf(cmp.Or(l.Place.Function, l.Place.Entry)))
		leaf := &node{name: placeText(l.Place) + " " + withoutPath(l.Place.Function), count: l.Count, link: leaking[l.Place.Group()]}
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

// fold sorts the children of all nodes by count, and merges those with fewer than minCount
// goroutines into one. It keeps lines that leak.
func (n *node) fold(minCount float64) {
	if len(n.children) == 0 {
		return
	}
	slices.SortFunc(n.children, func(a, b *node) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.name, b.name))
	})
	rest := &node{}
	folded := 0
	n.children = slices.DeleteFunc(n.children, func(c *node) bool {
		if c.count >= minCount || c.leaks() {
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
		c.fold(minCount)
	}
}

func (n *node) leaks() bool {
	return n.link != "" || slices.ContainsFunc(n.children, (*node).leaks)
}

// draw adds the cells of the descendants of a node. depth selects the column; top and height are
// the vertical position of the node.
func (i *icicle) draw(n *node, depth int, top, height, total float64) {
	widths := [...]float64{0.2, 0.35, 0.45}
	if depth >= len(widths) {
		return
	}
	x := 0.0
	for _, w := range widths[:depth] {
		x += w * float64(i.Width)
	}
	width := widths[depth] * float64(i.Width)
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
		if h >= minCellHeight-1 {
			box.Text = fit(finding.Number(c.count)+" "+c.name, int((width-12)/letterWidth))
		}
		i.Cells = append(i.Cells, box)
		i.draw(c, depth+1, top, h, total)
		top += h
	}
}

// fit shortens a text to n letters by omitting its middle: the end of a package or a line says
// most.
func fit(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	if n < 4 {
		return ""
	}
	half := n / 2
	return string(runes[:half-1]) + "…" + string(runes[len(runes)-(n-half):])
}
