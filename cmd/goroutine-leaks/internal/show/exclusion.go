package show

import (
	"fmt"
	"slices"
)

// Exclusion is the effect of an --ignore rule.
type Exclusion struct {
	// Rule selects goroutines, and Reason is why they are meant to stay.
	Rule   string `json:"rule"`
	Reason string `json:"reason,omitempty"`
	// Matched reports whether the rule has ever matched.
	Matched bool `json:"matched"`
	// Goroutines is the number of ignored goroutines at the end of the watch, and Lines where
	// they are.
	Goroutines int      `json:"goroutines"`
	Lines      []string `json:"lines,omitempty"`
	// Ended is the last day of an expired rule, which matches nothing. Otherwise it is empty.
	Ended string `json:"ended,omitempty"`
}

func (e Exclusion) String() string {
	var text string
	switch {
	case e.Ended != "":
		text = fmt.Sprintf("--ignore %s ended on %s, so it ignores nothing", e.Rule, e.Ended)
	case !e.Matched:
		text = fmt.Sprintf("--ignore %s matched nothing", e.Rule)
	case len(e.Lines) == 0:
		text = "ignored: " + e.Rule
	case len(e.Lines) == 1:
		text = fmt.Sprintf("ignored: %s at %s", plural(e.Goroutines, "goroutine"), e.Lines[0])
	default:
		text = fmt.Sprintf("ignored: %s at %s and %s", plural(e.Goroutines, "goroutine"), e.Lines[0], plural(len(e.Lines)-1, "other line"))
	}
	if e.Reason != "" {
		text += " (" + e.Reason + ")"
	}
	return text
}

// exclusionLines returns a line for each exclusion.
func (r *Report) exclusionLines() []string {
	var lines []string
	for _, e := range r.Exclusions {
		lines = append(lines, e.String())
	}
	return lines
}

// hasIgnored reports whether any goroutines were ignored.
func (r *Report) hasIgnored() bool {
	return slices.ContainsFunc(r.Exclusions, func(e Exclusion) bool { return e.Matched })
}
