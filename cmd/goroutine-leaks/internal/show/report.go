package show

import (
	"fmt"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/watch"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// Report is what a watch has found in the end.
type Report struct {
	watch.State
	Origins []watch.Origin
	// Problems are what prevented to learn more.
	Problems []error
}

// maxTold is how many leaks are told in full: more than anybody reads.
const maxTold = 100

// pages is where the pages are that treat a leak.
const pages = "https://github.com/otel-goroutine/otel-goroutine/blob/main/"

// field is one line about a finding.
type field struct{ name, text string }

// fields returns what is known of a finding, but for the evidence.
func (r *Report) fields(f *finding.Finding) []field {
	all := []field{}
	add := func(name, text string) {
		if text != "" {
			all = append(all, field{name, text})
		}
	}
	switch {
	case f.Head.Function != "":
		add("stands", where(f.Head))
	case f.Head.Entry != "":
		add("entry", f.Head.Entry+inFile(f.Head.EntryFile, 0)+", at more than one line")
	}
	for i, p := range f.Places {
		if i > 0 {
			add("and", where(p))
		}
	}
	if f.Service.Name != "" && len(r.Targets) > 1 {
		add("in", f.Service.Name)
	}
	for _, c := range f.Creators {
		add("started by", originText(c))
	}
	for _, w := range f.Wakers {
		text := originText(w)
		if w.Call != "" {
			text += ", by its call of " + function(w.Call)
		}
		add("woken by", text+": those that end; for these it did not run")
	}
	mistake := f.Class.String()
	if f.Page != "" {
		mistake = strings.TrimSpace(mistake + " " + pages + f.Page)
	}
	add("mistake", mistake)
	add("how sure", r.certainty(f))
	add("surer", r.surer(f))
	add("ends if", f.Acquittal)
	return all
}

// where returns a place with the whole path of its file, which a terminal makes a link of.
func where(p finding.Place) string {
	if p.Function == "" {
		return "started with " + p.Entry + inFile(p.EntryFile, 0)
	}
	return strings.TrimSpace(p.State + " in " + p.Function + inFile(p.File, p.Line))
}

func inFile(file string, number int) string {
	switch {
	case file == "":
		return ""
	case number == 0:
		return " (" + file + ")"
	}
	return fmt.Sprintf(" (%s:%d)", file, number)
}

func originText(o finding.Origin) string {
	text := o.Function
	if text == "" {
		text = o.String()
	}
	if o.File != "" {
		text += " (" + line(o.File, o.Line) + ")"
	}
	if o.Share > 0 && o.Share < 0.995 {
		text += fmt.Sprintf(", %.0f%%", 100*o.Share)
	}
	return text
}

// surer tells what would make a finding surer than it is.
func (r *Report) surer(f *finding.Finding) string {
	if f.Severity == finding.Confirmed {
		return ""
	}
	longer := (10 * r.Thresholds.MaxLifetime).Round(time.Second)
	return fmt.Sprintf("a longer look: --for %s tells leaks from goroutines that live up to %s", longer, judge.Span(longer/2))
}

// Summary tells in a sentence what was found.
func (r *Report) Summary() string {
	watched := judge.Span(r.Watched().Round(time.Second))
	if leaks := len(open(r.Findings)); leaks > 0 {
		return fmt.Sprintf("%s in %s. Judged by: %v", count(leaks, "leak"), watched, r.Thresholds)
	}
	return nothing(&r.State)
}

// Lines returns the report for a person.
func (r *Report) Lines() []string {
	var lines []string
	add := func(format string, args ...any) {
		lines = append(lines, strings.Split(fmt.Sprintf(format, args...), "\n")...)
	}
	for _, t := range r.Targets {
		for _, text := range notes(t) {
			add("%s", text)
		}
	}
	leaks := open(r.Findings)
	if len(leaks) == 0 {
		if r.anyReached() {
			add("%s", nothing(&r.State))
		}
		return append(lines, r.problems()...)
	}
	for i := range leaks[:min(maxTold, len(leaks))] {
		f := &leaks[i]
		add("%s: %s", strings.ToUpper(f.Severity.String()), f.Evidence)
		for _, each := range r.fields(f) {
			add("  %-10s  %s", each.name, each.text)
		}
		add("")
	}
	if more := len(leaks) - maxTold; more > 0 {
		add("and %s; --json tells all", count(more, "more leak"))
	}
	add("%s in %s.", count(len(leaks), "leak"), judge.Span(r.Watched().Round(time.Second)))
	if rows := Undecided(r.Rows); len(rows) > 0 {
		add("%s may be a leak too, or a pool that fills:\n%s", count(len(rows), "group"), strings.Join(Table(rows, len(r.Targets) > 1, 0), "\n"))
	}
	return append(lines, r.problems()...)
}

func (r *Report) problems() []string {
	var lines []string
	for _, err := range r.Problems {
		lines = append(lines, err.Error())
	}
	return lines
}

func (r *Report) anyReached() bool {
	for _, t := range r.Targets {
		if t.Reached {
			return true
		}
	}
	return false
}

// notes tells what a reader must know of a target.
func notes(t watch.Target) []string {
	var lines []string
	switch {
	case t.Error != "" && t.Since > 0:
		lines = append(lines, fmt.Sprintf("%s: no answer for %s: %s", t.Name, judge.Span(t.Since), t.Error))
	case t.Error != "":
		lines = append(lines, fmt.Sprintf("%s: %s", t.Name, t.Error))
	}
	if t.Lacks != "" {
		lines = append(lines, fmt.Sprintf("%s: %s", t.Name, t.Lacks))
	}
	if t.Restarts > 0 {
		lines = append(lines, fmt.Sprintf("%s: another process took the place of the one before, %s; it has been watched for %s",
			t.Name, count(t.Restarts, "time"), judge.Span(t.Watched)))
	}
	return lines
}
