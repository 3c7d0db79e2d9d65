package show

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/watch"
)

// Progress writes the progress of a watch as lines, if there is no terminal.
type Progress struct {
	To    io.Writer
	Width int // maximum line length, 0 if unlimited
	// For and Interval are those of the watch.
	For, Interval time.Duration

	started     bool
	errors      map[string]string // latest error by target
	growthShown bool
}

// maxProgressRows is the most groups in a table.
const maxProgressRows = 10

// growthAfter is the time after which growth is shown.
const growthAfter = 10 * time.Second

// minGrown is the least growth to show. A worker that moves to another line is growth of one there.
const minGrown = 2

// Update writes what has changed since the previous look.
func (p *Progress) Update(s watch.State) {
	reached := slices.ContainsFunc(s.Targets, func(t watch.Target) bool { return t.Reached })
	if reached && !p.started {
		p.started = true
		p.start(&s)
	}
	for _, t := range s.Targets {
		if p.setError(t) {
			if t.Error == "" {
				p.line(&s, "%s: reached, %s", t.Name, targetText(t))
			} else {
				p.line(&s, "%s: %s; retrying", t.Name, t.Error)
			}
		}
	}
	if !p.growthShown && s.Watched() >= growthAfter && reached {
		p.growthShown = true
		p.growth(&s)
	}
	for _, c := range s.Changes {
		p.line(&s, "%s", c.Text)
	}
}

// setError keeps the error of a target, and reports whether it has changed.
func (p *Progress) setError(t watch.Target) (changed bool) {
	changed = p.errors[t.Name] != t.Error
	if p.errors == nil {
		p.errors = make(map[string]string)
	}
	p.errors[t.Name] = t.Error
	return changed
}

func (p *Progress) line(s *watch.State, format string, args ...any) {
	fmt.Fprintf(p.To, "%5s  %s\n", judge.FormatDuration(s.Watched().Truncate(time.Second)), fmt.Sprintf(format, args...))
}

// start writes the groups of the first successful look, and the plan.
func (p *Progress) start(s *watch.State) {
	for _, t := range s.Targets {
		if t.Error != "" {
			continue
		}
		p.setError(t)
		fmt.Fprintf(p.To, "%s: %s\n", t.Name, targetText(t))
		if t.Lacks != "" {
			fmt.Fprintf(p.To, "%s: %s\n", t.Name, t.Lacks)
		}
	}
	p.table(s.Rows, len(s.Targets) > 1)
	fmt.Fprintln(p.To, Plan(p.For, p.Interval, s.Thresholds))
}

func targetText(t watch.Target) string {
	return plural(t.Count, "goroutine") + " in " + plural(t.Groups, "group") + ", " + SourceText(t)
}

// Plan describes the duration and the thresholds of a watch.
func Plan(watch, interval time.Duration, t judge.Thresholds) string {
	return fmt.Sprintf("Watching for %s, every %s: %v", judge.FormatDuration(watch), judge.FormatDuration(interval), t)
}

// growth writes the groups that have grown since the first look.
func (p *Progress) growth(s *watch.State) {
	var rows []watch.Row
	for _, r := range s.Rows {
		if r.Grown >= minGrown {
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		p.line(s, "no group has grown by %d or more so far", minGrown)
		return
	}
	p.line(s, "%s grown so far, which may be load:", plural(len(rows), "group"))
	p.table(rows, len(s.Targets) > 1)
}

func (p *Progress) table(rows []watch.Row, withTarget bool) {
	if len(rows) == 0 {
		return
	}
	for _, text := range Table(rows[:min(maxProgressRows, len(rows))], withTarget, p.Width) {
		fmt.Fprintln(p.To, text)
	}
	if more := len(rows) - maxProgressRows; more > 0 {
		fmt.Fprintf(p.To, "and %s\n", plural(more, "more group"))
	}
}
