package show

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/watch"
)

// column is one of a table.
type column struct {
	title string
	right bool // aligned
	text  func(*watch.Row) string
	// least is the width below which the column is left out of a narrow table, 0 if it never
	// is.
	least int
	grows bool // takes the room that is left
}

// says tells whether the column says anything of a row.
func (c column) says(r watch.Row) bool { return c.text(&r) != "" && c.text(&r) != unknown }

// columns are those of groups. On a narrow terminal those on the right go first.
func columns(several bool) []column {
	all := []column{
		{title: "COUNT", right: true, text: func(r *watch.Row) string { return strconv.Itoa(r.Count) }},
		{title: "GREW", right: true, text: func(r *watch.Row) string { return signed(r.Grown) }},
		{title: "OLD", right: true, text: func(r *watch.Row) string { return known(r.Aged) }, least: 60},
		{title: "GONE", right: true, text: func(r *watch.Row) string { return known(r.Exits) }, least: 100},
		{title: "STATE", text: func(r *watch.Row) string { return r.State }, least: 60},
		{title: "LINE", text: func(r *watch.Row) string { return line(r.File, r.Line) }},
		{title: "FUNCTION", text: func(r *watch.Row) string { return function(r.Function) }, grows: true},
		{title: "STARTED WITH", text: func(r *watch.Row) string { return function(r.Entry) }, grows: true, least: 110},
		{title: "LEAK", text: severity},
	}
	if several {
		all = append([]column{{title: "TARGET", text: func(r *watch.Row) string { return r.Target }, least: 80}}, all...)
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

// unknown stands for a number that is not known.
const unknown = "-"

func known(n int) string {
	if n < 0 {
		return unknown
	}
	return strconv.Itoa(n)
}

// maxCell is the widest cell where nobody says how wide a line may be.
const maxCell = 60

// Table returns rows as lines of at most width columns, 0 if that does not matter.
func Table(rows []watch.Row, several bool, width int) []string {
	var shown []column
	for _, c := range columns(several) {
		if (width == 0 || width >= c.least) && slices.ContainsFunc(rows, c.says) {
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
		lines = append(lines, join(shown, widths, row))
	}
	return lines
}

const gap = 2

// fit narrows the columns that can be, until a line is no wider than width.
func fit(shown []column, widths []int, width int) {
	if width == 0 {
		return
	}
	total := -gap
	for _, w := range widths {
		total += w + gap
	}
	for _, growing := range []bool{true, false} {
		for i := len(shown) - 1; i >= 0 && total > width; i-- {
			if shown[i].grows != growing {
				continue
			}
			narrowed := max(widths[i]-(total-width), min(widths[i], 6))
			total -= widths[i] - narrowed
			widths[i] = narrowed
		}
	}
}

func join(shown []column, widths []int, row []string) string {
	var b strings.Builder
	for i, text := range row {
		text = Cut(text, widths[i])
		space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
		if i > 0 {
			b.WriteString(strings.Repeat(" ", gap))
		}
		if shown[i].right {
			b.WriteString(space + text)
		} else {
			b.WriteString(text + space)
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// Cut shortens a text to so many runes, 0 if that does not matter.
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
