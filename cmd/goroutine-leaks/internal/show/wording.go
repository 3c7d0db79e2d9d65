// Package show formats progress and results as text, Markdown, JSON and JUnit XML.
package show

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/target"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/watch"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// FileLine returns the base name of a file and the line.
//
//	/src/shop/order.go, 88  ->  order.go:88
func FileLine(file string, number int) string {
	switch {
	case file == "":
		return ""
	case number == 0:
		return path.Base(file)
	}
	return path.Base(file) + ":" + strconv.Itoa(number)
}

// shortFunction shortens the import path of a function to its last element.
//
//	github.com/a/shop/order.(*pool).work  ->  order.(*pool).work
func shortFunction(name string) string {
	end := len(name)
	if bracket := strings.IndexByte(name, '['); bracket >= 0 {
		end = bracket
	}
	return name[strings.LastIndexByte(name[:end], '/')+1:]
}

// plural returns a number with a noun.
func plural(n int, noun string) string {
	switch {
	case n == 1 || noun == "series":
	case strings.HasSuffix(noun, "s"):
		noun += "es"
	default:
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

// Certainty describes how certain a finding is.
func Certainty(f *finding.Finding, t judge.Thresholds, now time.Time) string {
	defaults := judge.Defaults()
	elapsed := max(now.Sub(f.Began), 0)
	when := func(t judge.Thresholds) string {
		left := t.TimeToProbable(f.PerHour) - elapsed
		switch {
		case left <= 0:
			return "by now"
		case left >= judge.Year/2:
			return "never at this rate"
		}
		return "in " + judge.FormatDuration(left)
	}
	byDefaults := fmt.Sprintf("if growth continues, probable %s with the collector's default max_lifetime of %s", when(defaults), judge.FormatDuration(defaults.MaxLifetime))
	switch f.Severity {
	case finding.Confirmed:
		return "confirmed by the runtime's leak profile"
	case finding.Probable:
		return fmt.Sprintf("probable, unless healthy goroutines live longer than %s here; %s", judge.FormatDuration(t.MaxLifetime), byDefaults)
	case finding.Suspected:
		if f.Age == 0 {
			return "suspected from counts, without ages; " + byDefaults + " and execution traces"
		}
		if t.TimeToProbable(f.PerHour) <= elapsed {
			return "suspected, since " + whyNotProbable(f) + "; " + byDefaults
		}
		return fmt.Sprintf("suspected, probable %s if growth continues; %s", when(t), byDefaults)
	}
	return ""
}

// whyNotProbable describes why a finding is only suspected after enough time.
func whyNotProbable(f *finding.Finding) string {
	if f.Exits > 0 {
		return "some have left"
	}
	return "growth seems to slow"
}

// SourceText describes the source of the data of a target.
func SourceText(t watch.Target) string {
	switch t.From {
	case target.Trace:
		return "from an execution trace"
	case target.Profile:
		return "from a goroutine profile"
	}
	return "from a text dump"
}

// noLeaksText describes the result of a watch that has found no leak. If there are undecided groups,
// it contains their list.
func (r *Report) noLeaksText(undecided string) string {
	goroutines, groups := 0, 0
	for _, t := range r.Targets {
		goroutines, groups = goroutines+t.Count, groups+t.Groups
	}
	watched := judge.FormatDuration(r.Watched().Round(time.Second))
	begin := fmt.Sprintf("Watched %s in %s for %s: ", plural(goroutines, "goroutine"), plural(groups, "group"), watched)
	if rows := Undecided(r.Rows); len(rows) > 0 {
		return begin + "no leak found, but " + plural(len(rows), "group") + " may be one:" + undecided + `
No old goroutine has left, but growth seems to slow, as in a pool that fills.
To decide, watch longer: --for ` + (10 * r.Thresholds.MaxLifetime).Round(time.Second).String() + "."
	}
	noLine := "No line"
	if r.hasIgnored() {
		noLine = "No other line"
	}
	return begin + fmt.Sprintf(`no leak found.
%s has accumulated %d or more old goroutines that stay. Slower leaks are not found, nor leaks in code that has not run.`, noLine, r.Thresholds.MinLeaked)
}

// Undecided returns the groups that accumulate goroutines, but are not flagged.
func Undecided(rows []watch.Row) []watch.Row {
	var all []watch.Row
	for _, r := range rows {
		if r.Undecided {
			all = append(all, r)
		}
	}
	return all
}

// openFindings returns the findings that have not ended.
func openFindings(findings []finding.Finding) []finding.Finding {
	var all []finding.Finding
	for _, f := range findings {
		if f.Status == finding.Open {
			all = append(all, f)
		}
	}
	return all
}
