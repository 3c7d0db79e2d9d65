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

// Difference is the difference of two snapshots.
type Difference struct {
	Before, After int // goroutines
	Rows          []ChangedGroup
	// Notes describe the limits of the comparison.
	Notes []string
	// HasStayed reports whether ChangedGroup.Stayed is known.
	HasStayed bool
}

// ChangedGroup is a group with different counts in two snapshots.
type ChangedGroup struct {
	finding.Place
	Before, After int
	// Stayed is the number of goroutines that are in both snapshots.
	Stayed int
}

// groupKey identifies a group in two snapshots. It has no file, which differs between builds, and no
// state if it is unknown in one of the snapshots.
type groupKey struct {
	state, function, entry string
	line                   int
}

// Compare compares two snapshots. It compares single goroutines if both are execution traces.
func Compare(before, after target.Look) *Difference {
	d := &Difference{Before: before.Count(), After: after.Count()}
	if note := reversedNote(before, after); note != "" {
		d.Notes = append(d.Notes, note)
	}
	ignoreState := !hasStates(before) || !hasStates(after)
	rows := make(map[groupKey]*ChangedGroup)
	row := func(s stack.Signature) *ChangedGroup {
		p := judge.PlaceOf(s)
		if ignoreState {
			p.State = ""
		}
		key := groupKey{p.State, p.Function, p.Entry, p.Line}
		if rows[key] == nil {
			rows[key] = &ChangedGroup{Place: p}
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
		d.HasStayed = true
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
		d.Notes = append(d.Notes, "Only counts are compared. Two execution traces also show which goroutines have stayed.")
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
	slices.SortFunc(d.Rows, func(a, b ChangedGroup) int {
		return cmp.Or(cmp.Compare(b.After-b.Before, a.After-a.Before), cmp.Compare(a.Function, b.Function), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.State, b.State), cmp.Compare(a.Entry, b.Entry))
	})
	return d
}

// reversedNote returns a warning if the first snapshot is newer than the second. Execution traces have
// the IDs of goroutines, which rise except for the batches that Ps reserve, and profiles the time.
func reversedNote(before, after target.Look) string {
	switch {
	case before.From == target.Trace && after.From == target.Trace && after.IDsFell(before.HighestID, before.Procs):
		return "The first snapshot has newer goroutines than the second: the order is reversed, or the process was restarted in between."
	case !after.At.IsZero() && before.At.After(after.At):
		return fmt.Sprintf("The first snapshot was taken %s after the second: is the order reversed?", judge.FormatDuration(before.At.Sub(after.At)))
	}
	return ""
}

func hasStates(l target.Look) bool {
	return l.From != target.Text || slices.ContainsFunc(l.Groups, func(g stack.Group) bool { return g.State != "" })
}

// Text writes the difference as text.
func (d *Difference) Text(to io.Writer, width int) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s before, %d after, %s changed\n", plural(d.Before, "goroutine"), d.After, plural(len(d.Rows), "group"))
	rows := make([]watch.Row, len(d.Rows))
	for i, r := range d.Rows {
		rows[i] = watch.Row{Place: r.Place, Count: r.After, Grown: r.After - r.Before, Aged: -1, Exits: -1}
		if d.HasStayed {
			rows[i].Aged = r.Stayed
		}
	}
	if len(rows) > 0 {
		for _, text := range Table(rows, false, width) {
			fmt.Fprintln(&b, text)
		}
	}
	if d.HasStayed {
		b.WriteString("OLD goroutines are in both.\n")
	}
	for _, note := range d.Notes {
		fmt.Fprintln(&b, note)
	}
	b.WriteString("Two snapshots cannot distinguish a leak from load. To watch a process for 50 s: goroutine-leaks URL\n")
	_, err := io.WriteString(to, b.String())
	return err
}

// JSON writes the difference as JSON.
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
		group := row{Place: r.Place, Before: r.Before, After: r.After}
		if d.HasStayed {
			group.Stayed = &r.Stayed
		}
		document.Groups = append(document.Groups, group)
	}
	e := json.NewEncoder(to)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(document)
}
