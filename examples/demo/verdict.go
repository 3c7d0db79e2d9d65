package main

import (
	"fmt"
	"maps"
	"slices"
)

// tally remembers each group that was ever flagged, at its highest severity: to
// flag a healthy group is a mistake even if it is taken back.
type tally map[group]finding

// observe adds findings and returns those that are new or have become more
// severe.
func (t tally) observe(findings []finding) (risen []finding) {
	for _, f := range findings {
		known := t[f.group]
		if f.severity > known.severity {
			risen = append(risen, f)
		}
		f.severity = max(f.severity, known.severity)
		t[f.group] = f
	}
	return risen
}

// verdict is how what was flagged compares with what was planted.
type verdict struct {
	expected int
	missing  []planted
	healthy  []finding
}

func (t tally) judge(expected []planted) verdict {
	v := verdict{expected: len(expected)}
	found := make(map[planted]bool)
	for _, f := range t {
		i := slices.IndexFunc(expected, func(p planted) bool { return p.explains(f) })
		if i < 0 {
			v.healthy = append(v.healthy, f)
			continue
		}
		found[expected[i]] = true
	}
	for _, p := range expected {
		if !found[p] {
			v.missing = append(v.missing, p)
		}
	}
	slices.SortFunc(v.healthy, worstFirst)
	return v
}

// ok tells whether everything planted was found and nothing else.
func (v verdict) ok() bool { return len(v.missing) == 0 && len(v.healthy) == 0 }

// lines tells the verdict, its sum last.
func (v verdict) lines() []string {
	var lines []string
	for _, p := range v.missing {
		lines = append(lines, fmt.Sprintf("not found: %s (%s)", p.function, p.mistake))
	}
	for _, f := range v.healthy {
		lines = append(lines, fmt.Sprintf("healthy, but flagged: %v", f))
	}
	return append(lines, v.String())
}

// String sums the verdict up.
func (v verdict) String() string {
	healthy := "nothing healthy flagged"
	if n := len(v.healthy); n > 0 {
		healthy = fmt.Sprintf("%d healthy flagged", n)
	}
	return fmt.Sprintf("%d of %d planted leaks found, %s", v.expected-len(v.missing), v.expected, healthy)
}

// findings returns everything that was ever flagged, in no particular order.
func (t tally) findings() []finding { return slices.Collect(maps.Values(t)) }
