package show

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/target"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/watch"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Difference is what has changed from one look to another.
type Difference struct {
	Before, After int // goroutines
	Rows          []Changed
	// Notes tell what cannot be told.
	Notes []string
	// Stayed tells whether it is known which goroutines are the same.
	Stayed bool
}

// Changed is a group in two looks.
type Changed struct {
	finding.Place
	Before, After int
	// Stayed is how many of those after were there before.
	Stayed int
}

// place tells groups of two looks apart. Files are left out, as builds differ in them, and
// the state where one of the looks does not tell it.
type place struct {
	state, function, entry string
	line                   int
}

// Compare compares two looks. Goroutines are compared one by one if both are traces, and the
// IDs tell that it is one process.
func Compare(before, after target.Look) *Difference {
	d := &Difference{Before: before.Count(), After: after.Count()}
	stateless := statesUnknown(before) || statesUnknown(after)
	rows := make(map[place]*Changed)
	row := func(s stack.Signature) *Changed {
		p := judge.PlaceOf(s)
		if stateless {
			p.State = ""
		}
		key := place{p.State, p.Function, p.Entry, p.Line}
		if rows[key] == nil {
			rows[key] = &Changed{Place: p}
		}
		return rows[key]
	}
	for _, g := range before.Groups {
		row(g.Signature).Before += g.Count
	}
	for _, g := range after.Groups {
		row(g.Signature).After += g.Count
	}
	if before.From == target.Trace && after.From == target.Trace {
		d.Stayed = true
		known := make(map[uint64]bool, len(before.Goroutines))
		for _, g := range before.Goroutines {
			known[g.ID] = true
		}
		for _, g := range after.Goroutines {
			if known[g.ID] && g.Group != stack.NoGroup {
				row(after.Groups[g.Group].Signature).Stayed++
			}
		}
	} else {
		d.Notes = append(d.Notes, "Counts are compared, not goroutines: only two execution traces tell which of them are the same.")
	}
	for _, look := range []target.Look{before, after} {
		if look.Lacks != "" && !slices.Contains(d.Notes, look.Lacks) {
			d.Notes = append(d.Notes, look.Lacks)
		}
	}
	for _, r := range rows {
		if r.Before != r.After {
			d.Rows = append(d.Rows, *r)
		}
	}
	slices.SortFunc(d.Rows, func(a, b Changed) int {
		return cmp.Or(cmp.Compare(b.After-b.Before, a.After-a.Before), cmp.Compare(a.Function, b.Function), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.State, b.State), cmp.Compare(a.Entry, b.Entry))
	})
	return d
}

func statesUnknown(l target.Look) bool {
	return l.From == target.Text && !slices.ContainsFunc(l.Groups, func(g stack.Group) bool { return g.State != "" })
}

// Text writes the difference for a person.
func (d *Difference) Text(to io.Writer, width int) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s before, %d after: %s differ\n", count(d.Before, "goroutine"), d.After, count(len(d.Rows), "group"))
	rows := make([]watch.Row, len(d.Rows))
	for i, r := range d.Rows {
		rows[i] = watch.Row{Place: r.Place, Count: r.After, Grown: r.After - r.Before, Aged: -1, Exits: -1}
		if d.Stayed {
			rows[i].Aged = r.Stayed
		}
	}
	if len(rows) > 0 {
		for _, text := range Table(rows, false, width) {
			fmt.Fprintln(&b, text)
		}
	}
	if d.Stayed {
		b.WriteString("OLD are those that were there before.\n")
	}
	for _, note := range d.Notes {
		fmt.Fprintln(&b, note)
	}
	b.WriteString("Two looks do not tell a leak from load: goroutine-leaks URL watches a process for a minute.\n")
	_, err := io.WriteString(to, b.String())
	return err
}

// JSON writes the difference for programs.
func (d *Difference) JSON(to io.Writer) error {
	type row struct {
		finding.Place
		Before int  `json:"before"`
		After  int  `json:"after"`
		Stayed *int `json:"stayed,omitempty"`
	}
	document := struct {
		Version int      `json:"version"`
		Before  int      `json:"before"`
		After   int      `json:"after"`
		Groups  []row    `json:"groups"`
		Notes   []string `json:"notes,omitempty"`
	}{1, d.Before, d.After, []row{}, d.Notes}
	for _, r := range d.Rows {
		one := row{Place: r.Place, Before: r.Before, After: r.After}
		if d.Stayed {
			one.Stayed = &r.Stayed
		}
		document.Groups = append(document.Groups, one)
	}
	e := json.NewEncoder(to)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(document)
}
