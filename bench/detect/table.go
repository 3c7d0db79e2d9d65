package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// heads returns the two heading lines of each column.
func heads() [][2]string {
	h := [][2]string{
		{"census", "susp."},
		{"census", "prob."},
		{"counts", "susp."},
		{"counts", "prob."},
		{"1h", "susp."},
		{"1h", "prob."},
		{"service", "prob."},
	}
	for _, v := range rivals() {
		h = append(h, v.head)
	}
	return append(h, [2]string{"the", "oracle"})
}

const (
	nameWidth   = 34
	columnWidth = 9
)

// write prints the table.
func (t *tally) write(w io.Writer) {
	for line := range 2 {
		name := ""
		if line == 1 {
			name = "% of cases flagged"
		}
		cells := make([]string, 0, columns())
		for _, h := range heads() {
			cells = append(cells, h[line])
		}
		writeRow(w, name, cells)
	}
	fmt.Fprintln(w, strings.Repeat("-", nameWidth+columnWidth*columns()))
	for i, f := range t.families {
		t.writeScores(w, f.name, t.rows[i], (*score).cell)
	}
	fmt.Fprintln(w, strings.Repeat("-", nameWidth+columnWidth*columns()))
	t.writeScores(w, "recall", t.total, func(s *score) string { return ratio(s.recall()) })
	t.writeScores(w, "false positive rate", t.total, func(s *score) string { return ratio(s.falsePositiveRate()) })
	t.writeScores(w, "precision", t.total, func(s *score) string { return ratio(s.precision()) })
	t.writeScores(w, "time to detect, median", t.total, func(s *score) string { return minutes(s.timeTo(0.5)) })
	t.writeScores(w, "time to detect, 95% within", t.total, func(s *score) string { return minutes(s.timeTo(0.95)) })
}

func (t *tally) writeScores(w io.Writer, name string, scores []*score, cell func(*score) string) {
	cells := make([]string, len(scores))
	for i, s := range scores {
		cells[i] = "."
		if s != nil {
			cells[i] = cell(s)
		}
	}
	writeRow(w, name, cells)
}

func writeRow(w io.Writer, name string, cells []string) {
	var line strings.Builder
	fmt.Fprintf(&line, "%-*s", nameWidth, name)
	for _, c := range cells {
		fmt.Fprintf(&line, "%*s", columnWidth, c)
	}
	fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
}

// cell returns the share flagged: of leaks in a family of leaks, followed by the share of cases with a false alarm; of
// cases in a healthy family.
func (s *score) cell() string {
	if s.leaks == 0 {
		return percent(s.healthyAlarms, s.healthy)
	}
	c := percent(s.found, s.leaks)
	if s.alarms > 0 {
		c += "+" + percent(s.alarms, s.cases)
	}
	return c
}

// percent returns a percentage that is only 0 or 100 if it is exact.
func percent(part, of int) string {
	p := int(math.Round(100 * share(part, of)))
	switch {
	case part > 0 && p == 0:
		p = 1
	case part < of && p == 100:
		p = 99
	}
	return strconv.Itoa(p)
}

func ratio(x float64) string {
	if math.IsNaN(x) {
		return "."
	}
	// Rounded down, so that a missed figure does not look reached.
	return fmt.Sprintf("%.3f", math.Floor(x*1000)/1000)
}

func minutes(m float64) string {
	switch {
	case math.IsNaN(m):
		return "."
	case math.IsInf(m, 1):
		return "never"
	}
	return fmt.Sprintf("%dh%02d", int(m)/60, int(m)%60)
}
