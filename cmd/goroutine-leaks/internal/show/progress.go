package show

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/watch"
)

// Progress writes what is new after each look, for where there is no terminal.
type Progress struct {
	To    io.Writer
	Width int // of a line, 0 if that does not matter
	// For and Interval are of the watch.
	For, Interval time.Duration

	began bool
	told  map[string]string // of a target, what is wrong with it
	grew  bool              // is told
}

// shownRows is how many groups are shown: as many as people read.
const shownRows = 10

// grewAfter is when it is told what has grown.
const grewAfter = 10 * time.Second

// Look tells what is new.
func (p *Progress) Look(s watch.State) {
	if !p.began {
		p.began, p.told = true, make(map[string]string)
		p.begin(&s)
	}
	for _, t := range s.Targets {
		if p.told[t.Name] != t.Error {
			p.told[t.Name] = t.Error
			if t.Error == "" {
				p.line(&s, "%s answers: %s in %s, %s", t.Name, count(t.Count, "goroutine"), count(t.Groups, "group"), From(t))
			} else {
				p.line(&s, "%s: %s; asking on", t.Name, t.Error)
			}
		}
	}
	if !p.grew && s.Watched() >= grewAfter && slices.ContainsFunc(s.Targets, func(t watch.Target) bool { return t.Reached }) {
		p.grew = true
		p.growth(&s)
	}
	for _, c := range s.Changes {
		p.line(&s, "%s", c.Text)
	}
}

func (p *Progress) line(s *watch.State, format string, args ...any) {
	fmt.Fprintf(p.To, "%5s  %s\n", judge.Span(s.Watched().Truncate(time.Second)), fmt.Sprintf(format, args...))
}

// begin shows the groups as they are now.
func (p *Progress) begin(s *watch.State) {
	for _, t := range s.Targets {
		if t.Error != "" {
			continue
		}
		fmt.Fprintf(p.To, "%s: %s in %s, %s\n", t.Name, count(t.Count, "goroutine"), count(t.Groups, "group"), From(t))
		if t.Lacks != "" {
			fmt.Fprintf(p.To, "%s: %s\n", t.Name, t.Lacks)
		}
	}
	p.table(s.Rows, len(s.Targets) > 1)
	fmt.Fprintln(p.To, Plan(p.For, p.Interval, s.Thresholds))
}

// Plan tells how long it is watched, and by what it is judged.
func Plan(watch, interval time.Duration, t judge.Thresholds) string {
	return fmt.Sprintf("Watching for %s, every %s: %v", judge.Span(watch), judge.Span(interval), t)
}

// growth shows the groups that have more goroutines than at first.
func (p *Progress) growth(s *watch.State) {
	var rows []watch.Row
	for _, r := range s.Rows {
		if r.Grown > 0 {
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		p.line(s, "nothing has grown so far")
		return
	}
	p.line(s, "%s more goroutines than at first, which may be load:", grown(len(rows)))
	p.table(rows, len(s.Targets) > 1)
}

func grown(n int) string {
	if n == 1 {
		return "1 group has"
	}
	return fmt.Sprintf("%d groups have", n)
}

func (p *Progress) table(rows []watch.Row, several bool) {
	if len(rows) == 0 {
		return
	}
	for _, text := range Table(rows[:min(shownRows, len(rows))], several, p.Width) {
		fmt.Fprintln(p.To, text)
	}
	if more := len(rows) - shownRows; more > 0 {
		fmt.Fprintf(p.To, "and %s\n", count(more, "more group"))
	}
}
