package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/show"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/watch"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// ignoreRule selects goroutines not to flag. All fields of the selection that are set must match.
type ignoreRule struct {
	function, entry, signature string

	reason  string
	until   time.Time // the last day; zero if there is none
	expired bool
	matched bool // any sample so far
}

type ignoreList []*ignoreRule

var errIgnore = errors.New("want function=F, entry=F or signature=S, combined with commas, and optionally until=YYYY-MM-DD and reason=TEXT")

// parseIgnore parses rules. Expired rules match nothing.
func parseIgnore(rules []string, now time.Time) (ignoreList, error) {
	var list ignoreList
	for _, text := range rules {
		rule, ok := parseIgnoreRule(text)
		if !ok {
			return nil, fmt.Errorf("invalid --ignore %q: %w", text, errIgnore)
		}
		rule.expired = !rule.until.IsZero() && !now.Before(rule.until.AddDate(0, 0, 1))
		list = append(list, rule)
	}
	return list, nil
}

// parseIgnoreRule parses a rule such as
//
//	entry=main.pollForever,until=2026-12-31
func parseIgnoreRule(text string) (rule *ignoreRule, ok bool) {
	rule = new(ignoreRule)
	for part := range strings.SplitSeq(text, ",") {
		key, value, found := strings.Cut(part, "=")
		if !found || value == "" {
			return nil, false
		}
		switch key {
		case "function":
			rule.function = value
		case "entry":
			rule.entry = value
		case "signature":
			rule.signature = value
		case "until":
			var err error
			if rule.until, err = time.Parse(time.DateOnly, value); err != nil {
				return nil, false
			}
		case "reason":
			rule.reason = value
		default:
			return nil, false
		}
	}
	return rule, rule.selection() != ""
}

// selection returns the part of the rule that selects goroutines.
func (r *ignoreRule) selection() string {
	var parts []string
	for _, field := range [][2]string{{"function", r.function}, {"entry", r.entry}, {"signature", r.signature}} {
		if field[1] != "" {
			parts = append(parts, field[0]+"="+field[1])
		}
	}
	return strings.Join(parts, ",")
}

func (r *ignoreRule) matches(p finding.Place, signature string) bool {
	return !r.expired && (r.function == "" || r.function == p.Function) && (r.entry == "" || r.entry == p.Entry) &&
		(r.signature == "" || r.signature == signature)
}

// matches reports whether any rule matches a sample.
func (l ignoreList) matches(s judge.Sample) bool {
	matched := false
	for _, r := range l {
		if r.matches(s.Place, s.Signature) {
			r.matched, matched = true, true
		}
	}
	return matched
}

// exclusions returns the effect of each rule. Rows are the groups at the end of a watch.
func (l ignoreList) exclusions(rows []watch.Row) []show.Exclusion {
	var all []show.Exclusion
	for _, r := range l {
		e := show.Exclusion{Rule: r.selection(), Reason: r.reason, Matched: r.matched}
		if r.expired {
			e.Ended = r.until.Format(time.DateOnly)
		}
		for _, row := range rows {
			if !r.matches(row.Place, row.Signature) {
				continue
			}
			e.Goroutines += row.Count
			if line := cmp.Or(show.FileLine(row.File, row.Line), row.Function); !slices.Contains(e.Lines, line) {
				e.Lines = append(e.Lines, line)
			}
		}
		all = append(all, e)
	}
	return all
}
