// Package show writes what is known, for people, for programs and for CI.
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

// line returns a place as file and line, the file without its folders.
//
//	/src/shop/order.go, 88  ->  order.go:88
func line(file string, number int) string {
	switch {
	case file == "":
		return ""
	case number == 0:
		return path.Base(file)
	}
	return path.Base(file) + ":" + strconv.Itoa(number)
}

// function shortens the import path of a function to its last element, as Go code has it.
//
//	github.com/a/shop/order.(*pool).work  ->  order.(*pool).work
func function(name string) string {
	end := len(name)
	if bracket := strings.IndexByte(name, '['); bracket >= 0 {
		end = bracket
	}
	return name[strings.LastIndexByte(name[:end], '/')+1:]
}

// count returns a number with its noun.
func count(n int, noun string) string {
	if n != 1 && !strings.HasSuffix(noun, "s") {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

// Certainty tells how sure a finding is, and what would make it surer.
func Certainty(f *finding.Finding, t judge.Thresholds, now time.Time) string {
	defaults := judge.Defaults()
	since := max(now.Sub(f.Began), 0)
	until := func(t judge.Thresholds) string {
		left := t.Until(f.PerHour) - since
		switch {
		case left <= 0:
			return "by now"
		case left >= judge.Longest/2:
			return "never at this pace"
		}
		return "in " + judge.Span(left)
	}
	switch f.Severity {
	case finding.Confirmed:
		return "confirmed: the runtime itself proves it"
	case finding.Probable:
		return fmt.Sprintf("probable, unless healthy goroutines live longer than %s here; at the defaults (%s) probable %s if it goes on",
			judge.Span(t.MaxLifetime), judge.Span(defaults.MaxLifetime), until(defaults))
	case finding.Suspected:
		if f.Age == 0 {
			return fmt.Sprintf("suspected from counts alone, without ages; a trace would tell, or a longer look; at the defaults probable %s if it goes on with a trace", until(defaults))
		}
		if t.Until(f.PerHour) <= since {
			return fmt.Sprintf("suspected: it has gathered for long enough, but some have left, or fewer come than at first; at the defaults probable %s if it goes on", until(defaults))
		}
		return fmt.Sprintf("suspected; probable %s if it goes on; %s at the defaults", until(t), until(defaults))
	}
	return ""
}

// From tells what a target was looked at by.
func From(t watch.Target) string {
	switch t.From {
	case target.Trace:
		return "by execution trace"
	case target.Profile:
		return "by goroutine profile"
	}
	return "by a text"
}

// nothing tells what a watch in which no leak was found says, and what it does not.
func nothing(s *watch.State) string {
	goroutines, groups := 0, 0
	for _, t := range s.Targets {
		goroutines, groups = goroutines+t.Count, groups+t.Groups
	}
	watched := judge.Span(s.Watched().Round(time.Second))
	begin := fmt.Sprintf("watched %s in %s for %s: ", count(goroutines, "goroutine"), count(groups, "group"), watched)
	rows := Undecided(s.Rows)
	if len(rows) > 0 {
		return begin + "no leak is shown, but " + count(len(rows), "group") + " may be one:\n" + strings.Join(Table(rows, len(s.Targets) > 1, 0), "\n") + `
None of the old ones has left, but they come more slowly than at first, as those of a pool do that fills.
A longer look tells: --for ` + (10 * s.Thresholds.MaxLifetime).Round(time.Second).String() + "."
	}
	return begin + fmt.Sprintf(`nothing grows.
It says that at no line %d goroutines or more have gathered that stay.
It does not say that nothing leaks: a leak of fewer in %s is not seen, nor one in code that did not run meanwhile.`,
		leastSeen, watched)
}

// leastSeen is how many goroutines a leak must gather during a watch to be found: those that
// the detector asks for, in the eleven twelfths of the time in which they can become old.
const leastSeen = 11

// Undecided returns the groups that gather and of which nothing was found.
func Undecided(rows []watch.Row) []watch.Row {
	var all []watch.Row
	for _, r := range rows {
		if r.Undecided {
			all = append(all, r)
		}
	}
	return all
}

// open returns the findings that are open.
func open(findings []finding.Finding) []finding.Finding {
	var all []finding.Finding
	for _, f := range findings {
		if f.Status == finding.Open {
			all = append(all, f)
		}
	}
	return all
}
