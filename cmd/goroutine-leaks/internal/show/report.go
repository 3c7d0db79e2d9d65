package show

import (
	"fmt"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/watch"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// Report is the result of a watch.
type Report struct {
	watch.State
	Origins []watch.Origin
	// Problems are errors in finding the origins.
	Problems []error
	// Exclusions are the effects of --ignore.
	Exclusions []Exclusion
}

// maxFindings is the most findings of a text or Markdown report.
const maxFindings = 100

// docsURL is the base URL of the pages about leaks.
const docsURL = "https://github.com/otel-goroutine/otel-goroutine/blob/main/"

// field is a line about a finding.
type field struct{ name, text string }

// fields returns the details of a finding, without its evidence.
func (r *Report) fields(f *finding.Finding) []field {
	all := []field{}
	add := func(name, text string) {
		if text != "" {
			all = append(all, field{name, text})
		}
	}
	switch {
	case f.Head.Function != "":
		add("where", placeText(f.Head))
	case f.Head.Entry != "":
		add("entry", f.Head.Entry+inFile(f.Head.EntryFile, 0)+", at several lines")
	}
	for i, p := range f.Places {
		if i > 0 {
			add("also", placeText(p))
		}
	}
	if f.Service.Name != "" && len(r.Targets) > 1 {
		add("service", f.Service.Name)
	}
	for _, c := range f.Creators {
		add("started by", originText(c))
	}
	for _, w := range f.Wakers {
		text := originText(w)
		if w.Call != "" {
			text += " with its call of " + shortFunction(w.Call)
		}
		add("woken by", text+": healthy goroutines only; it did not run for the leaked ones")
	}
	mistake := f.Class.String()
	if f.Page != "" {
		mistake = strings.TrimSpace(mistake + " " + docsURL + f.Page)
	}
	add("mistake", mistake)
	add("certainty", r.certainty(f))
	add("ends if", f.Acquittal)
	return all
}

// placeText describes a place with the whole path of its file, which terminals turn into a link.
func placeText(p finding.Place) string {
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
		text += " (" + FileLine(o.File, o.Line) + ")"
	}
	if o.Share > 0 && o.Share < 0.995 {
		text += fmt.Sprintf(", %.0f%%", 100*o.Share)
	}
	return text
}

// nextStep describes how to make the findings more certain.
func (r *Report) nextStep() string {
	longer := (10 * r.Thresholds.MaxLifetime).Round(time.Second)
	return fmt.Sprintf("To distinguish leaks from goroutines that live up to %s, watch longer: --for %s", judge.FormatDuration(longer/2), longer)
}

// Summary summarizes the report in sentences without a table, for a page.
func (r *Report) Summary() string {
	watched := judge.FormatDuration(r.Watched().Round(time.Second))
	if leaks := len(openFindings(r.Findings)); leaks > 0 {
		return fmt.Sprintf("%s in %s. Thresholds: %v", plural(leaks, "leak"), watched, r.Thresholds)
	}
	var grown []string
	for _, row := range Undecided(r.Rows) {
		grown = append(grown, fmt.Sprintf("%s (%s)", FileLine(row.File, row.Line), signed(row.Grown)))
	}
	sentences := []string{r.noLeaksText(" " + strings.Join(grown, ", ") + ".")}
	for _, line := range r.exclusionLines() {
		sentences = append(sentences, line+".")
	}
	return strings.Join(sentences, " ")
}

// Lines returns the report as lines of text.
func (r *Report) Lines() []string {
	var lines []string
	add := func(format string, args ...any) {
		lines = append(lines, strings.Split(fmt.Sprintf(format, args...), "\n")...)
	}
	for _, text := range append(r.notes(), r.exclusionLines()...) {
		add("%s", text)
	}
	leaks := openFindings(r.Findings)
	if len(leaks) == 0 {
		if r.anyReached() {
			add("%s", r.noLeaksText("\n"+strings.Join(Table(Undecided(r.Rows), len(r.Targets) > 1, 0), "\n")))
		}
		return append(lines, r.problems()...)
	}
	for i := range leaks[:min(maxFindings, len(leaks))] {
		f := &leaks[i]
		add("%s: %s", strings.ToUpper(f.Severity.String()), f.Evidence)
		for _, field := range r.fields(f) {
			add("  %-10s  %s", field.name, field.text)
		}
		add("")
	}
	if more := len(leaks) - maxFindings; more > 0 {
		add("and %s, listed with --json", plural(more, "more leak"))
	}
	add("%s in %s. %s", plural(len(leaks), "leak"), judge.FormatDuration(r.Watched().Round(time.Second)), r.nextStep())
	if rows := Undecided(r.Rows); len(rows) > 0 {
		add("Also accumulating, a leak or a pool that fills:\n%s", strings.Join(Table(rows, len(r.Targets) > 1, 0), "\n"))
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

// notes returns what limits the evidence about each target.
func (r *Report) notes() []string {
	var lines []string
	for _, t := range r.Targets {
		add := func(format string, args ...any) {
			lines = append(lines, t.Name+": "+fmt.Sprintf(format, args...))
		}
		switch {
		case t.Error != "" && t.Since > 0:
			add("unreachable for %s: %s", judge.FormatDuration(t.Since), t.Error)
		case t.Error != "":
			add("%s", t.Error)
		}
		if t.Lacks != "" {
			add("%s", t.Lacks)
		}
		if t.Busy > 0 && t.Busy < t.Looks {
			add("another client traced the process in %d of %s, which have no ages", t.Busy, plural(t.Looks, "look"))
		}
		if t.Restarts > 0 {
			add("restarted %s; the current process has been watched for %s", plural(t.Restarts, "time"), judge.FormatDuration(t.Watched))
		}
	}
	return lines
}
