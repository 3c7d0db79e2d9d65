package show

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/watch"
)

// column is a column of a table.
type column struct {
	title      string
	alignRight bool
	text       func(*watch.Row) string
	// minWidth is the least width of a table with this column, 0 if there is none.
	minWidth int
	elastic  bool // is narrowed before other columns
}

// hasText reports whether the cell of a row is neither empty nor unknown.
func (c column) hasText(r watch.Row) bool { return c.text(&r) != "" && c.text(&r) != unknown }

// columns returns the columns of a table of groups.
func columns(withTarget bool) []column {
	all := []column{
		{title: "COUNT", alignRight: true, text: func(r *watch.Row) string { return strconv.Itoa(r.Count) }},
		{title: "GREW", alignRight: true, text: func(r *watch.Row) string { return signed(r.Grown) }},
		{title: "OLD", alignRight: true, text: func(r *watch.Row) string { return orUnknown(r.Aged) }, minWidth: 60},
		{title: "EXITED", alignRight: true, text: func(r *watch.Row) string { return orUnknown(r.Exits) }, minWidth: 100},
		{title: "STATE", text: func(r *watch.Row) string { return r.State }, minWidth: 60},
		{title: "LINE", text: func(r *watch.Row) string { return FileLine(r.File, r.Line) }},
		{title: "FUNCTION", text: func(r *watch.Row) string { return shortFunction(r.Function) }, elastic: true},
		{title: "ENTRY", text: func(r *watch.Row) string { return shortFunction(r.Entry) }, elastic: true, minWidth: 110},
		{title: "LEAK", text: severity},
	}
	if withTarget {
		all = append([]column{{title: "TARGET", text: func(r *watch.Row) string { return r.Target }, minWidth: 80}}, all...)
	}
	return all
}

func severity(r *watch.Row) string {
	if r.Severity == 0 {
		return ""
	}
	return r.Severity.String()
}

func signed(n int) string {
	if n > 0 {
		return "+" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// unknown is the text of an unknown number.
const unknown = "-"

func orUnknown(n int) string {
	if n < 0 {
		return unknown
	}
	return strconv.Itoa(n)
}

// maxCell is the width of the widest cell.
const maxCell = 60

// Table formats rows as lines of at most width columns, 0 if unlimited.
func Table(rows []watch.Row, withTarget bool, width int) []string {
	var shown []column
	for _, c := range columns(withTarget) {
		if (width == 0 || width >= c.minWidth) && slices.ContainsFunc(rows, c.hasText) {
			shown = append(shown, c)
		}
	}
	cells := make([][]string, len(rows)+1)
	widths := make([]int, len(shown))
	for i, c := range shown {
		cells[0] = append(cells[0], c.title)
		widths[i] = len(c.title)
		for r := range rows {
			text := Cut(c.text(&rows[r]), maxCell)
			cells[r+1] = append(cells[r+1], text)
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	fit(shown, widths, width)
	lines := make([]string, 0, len(cells))
	for _, row := range cells {
		lines = append(lines, formatRow(shown, widths, row))
	}
	return lines
}

const gap = 2

// fit narrows columns until a line fits in width, elastic ones first.
func fit(shown []column, widths []int, width int) {
	if width == 0 {
		return
	}
	total := -gap
	for _, w := range widths {
		total += w + gap
	}
	for _, elastic := range []bool{true, false} {
		for i := len(shown) - 1; i >= 0 && total > width; i-- {
			if shown[i].elastic != elastic {
				continue
			}
			narrowed := max(widths[i]-(total-width), min(widths[i], 6))
			total -= widths[i] - narrowed
			widths[i] = narrowed
		}
	}
}

func formatRow(shown []column, widths []int, row []string) string {
	var b strings.Builder
	for i, text := range row {
		text = Cut(text, widths[i])
		space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
		if i > 0 {
			b.WriteString(strings.Repeat(" ", gap))
		}
		if shown[i].alignRight {
			b.WriteString(space + text)
		} else {
			b.WriteString(text + space)
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// Cut shortens a text to width runes, 0 if unlimited.
func Cut(text string, width int) string {
	if width == 0 || utf8.RuneCountInString(text) <= width {
		return text
	}
	runes := []rune(text)
	if width < 2 {
		return string(runes[:width])
	}
	return string(runes[:width-1]) + "…"
}
