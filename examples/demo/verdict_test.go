package main

import (
	"slices"
	"strings"
	"testing"
)

func stuck(function string, s severity) finding {
	return finding{group: group{signature: "of " + function, entry: function}, function: function, severity: s}
}

func looping(entry string, s severity) finding {
	return finding{group: group{entry: entry}, severity: s}
}

func TestVerdict(t *testing.T) {
	expected := []planted{{"main.a", "first"}, {"main.b", "second"}}
	inner := finding{group: group{signature: "1", entry: "main.b"}, function: "main.within", severity: suspected}
	for _, tc := range []struct {
		name     string
		findings []finding
		ok       bool
		lines    []string
	}{
		{"all, by function and by entry", []finding{stuck("main.a", probable), looping("main.b", suspected)}, true, []string{"2 of 2 planted leaks found, nothing healthy flagged"}},
		{"blamed elsewhere, started with what is planted", []finding{stuck("main.a", probable), inner}, true, []string{"2 of 2 planted leaks found, nothing healthy flagged"}},
		{"one leak in two groups", []finding{stuck("main.b", probable), inner}, false, []string{
			"not found: main.a (first)",
			"1 of 2 planted leaks found, nothing healthy flagged",
		}},
		{"nothing", nil, false, []string{
			"not found: main.a (first)", "not found: main.b (second)",
			"0 of 2 planted leaks found, nothing healthy flagged",
		}},
		{"all, and a healthy one", []finding{stuck("main.a", probable), stuck("main.c", suspected), looping("main.b", probable)}, false, []string{
			"healthy, but flagged: suspected: main.c at - (-), 0 leaked, 0 more an hour",
			"2 of 2 planted leaks found, 1 healthy flagged",
		}},
		{"the whole process", []finding{stuck("main.a", probable), looping("main.b", probable), {severity: suspected}}, false, []string{
			"healthy, but flagged: suspected: the whole process, 0 leaked, 0 more an hour",
			"2 of 2 planted leaks found, 1 healthy flagged",
		}},
	} {
		seen := make(tally)
		seen.observe(tc.findings)
		v := seen.judge(expected)
		if v.ok() != tc.ok {
			t.Errorf("%s: ok is %v", tc.name, v.ok())
		}
		if lines := v.lines(); !slices.Equal(lines, tc.lines) {
			t.Errorf("%s: got\n%s", tc.name, strings.Join(lines, "\n"))
		}
	}
}

func TestTallyTellsWhatHasRisen(t *testing.T) {
	seen := make(tally)
	for i, step := range []struct {
		findings []finding
		risen    int
	}{
		{[]finding{stuck("main.a", suspected), looping("main.a", suspected)}, 2},
		{[]finding{stuck("main.a", suspected), looping("main.a", suspected)}, 0},
		{[]finding{stuck("main.a", probable), looping("main.a", suspected)}, 1},
		{[]finding{stuck("main.a", suspected)}, 0},
		{nil, 0},
		{[]finding{stuck("main.a", probable)}, 0},
	} {
		if risen := seen.observe(step.findings); len(risen) != step.risen {
			t.Errorf("step %d: %d have risen: %v", i, len(risen), risen)
		}
	}
	if s := seen[stuck("main.a", 0).group].severity; s != probable {
		t.Errorf("remembered as %v", s)
	}
}
