package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestGrowthPageHasEveryFigure compares the table of docs/decisions/growth.md with the figures in result.txt.
func TestGrowthPageHasEveryFigure(t *testing.T) {
	page, reached := readText(t, "../../docs/decisions/growth.md"), readFigures(t)
	used := map[string]bool{}
	for _, row := range []struct {
		name    string
		unit    unit
		figures []string
	}{
		{"census, *probable*: precision, recall", plain, []string{"census, probable: precision", "census, probable: recall"}},
		{"largest share of a healthy family that is accused", percentage, []string{"census, probable: largest share of a healthy family"}},
		{"*suspected*: healthy accused", percentage, []string{"census, suspected: false positive rate"}},
		{"leaks alone: median time over the oracle's", plain, []string{"census, probable: median time of leaks alone over the oracle's"}},
		{"leaks among others: the same", plain, []string{"census, probable: median time of leaks among others over the oracle's"}},
		{"the worst family except the bursts each night", plain, []string{"census, probable: largest such ratio of a family but the bursts each night"}},
		{"the slowest leak among others", hours, []string{"census, probable: hours until the slowest leak among others was found"}},
		{"bursts each night: half of them, all of them", hours, []string{
			"census, probable: hours until half of the bursts each night were found, before the fourth",
			"census, probable: hours until all of them were, before the fifth",
		}},
		{"twenty replicas of 1.2 an hour, median", hours, []string{"census, probable: median hours of twenty replicas that leak 1.2 an hour"}},
		{"one an hour, deploys every four hours, median", hours, []string{"census, probable: median hours of one an hour under deploys every four"}},
		{"leaks alone later than 1.3 times [the formula](../how-it-decides.md#the-verdict) plus `aged_after`", percentage, []string{
			"census, probable: share of leaks alone later than 1.3 times it and aged_after",
		}},
		{"flags interrupted while the leak goes on; the worst family", percentage, []string{
			"census, probable: share of leaks whose flag was interrupted", "census, probable: the same, largest of a family",
		}},
		{"`max_lifetime: 1h`: precision, recall", plain, []string{"census, probable, max_lifetime 1h: precision", "census, probable, max_lifetime 1h: recall"}},
		{"the same: one a minute, median", inMinutes, []string{"census, probable, max_lifetime 1h: median minutes of a leak of 1 a minute"}},
		{"counts alone, *suspected*: recall, false positive rate", plain, []string{"counts, suspected: recall", "counts, suspected: false positive rate"}},
		{"counts alone, *probable*: precision", plain, []string{"counts, probable: precision"}},
	} {
		var asked, got []string
		for _, what := range row.figures {
			f, ok := reached[what]
			if !ok {
				t.Fatalf("result.txt has no figure %q", what)
			}
			used[what] = true
			asked = append(asked, row.unit.bound(f.bound))
			value := row.unit.value(f.value)
			if f.missed {
				value = "**" + value + "**"
			}
			got = append(got, value)
		}
		want := fmt.Sprintf("| %s | %s | %s |", row.name, strings.Join(asked, ", "), strings.Join(got, ", "))
		if !strings.Contains(page, want) {
			t.Errorf("docs/decisions/growth.md does not have the row %s", want)
		}
	}
	for what := range reached {
		if !used[what] {
			t.Errorf("docs/decisions/growth.md does not have the figure %q: add a row to its table and to this test", what)
		}
	}
}

// unit formats bounds and values of figures.
type unit struct {
	factor   float64
	decimals int // of a value; a bound has as many as it needs
	suffix   string
}

var (
	plain      = unit{1, 3, ""}
	percentage = unit{100, 1, "%"}
	hours      = unit{1, 0, " h"}
	inMinutes  = unit{1, 0, " min"}
)

func (u unit) bound(x float64) string { return fmt.Sprintf("%.4g", u.factor*x) + u.suffix }

// value formats a value, with a decimal for a few hours.
func (u unit) value(x float64) string {
	decimals := u.decimals
	if u == hours && x < 10 {
		decimals = 1
	}
	return strconv.FormatFloat(u.factor*x, 'f', decimals, 64) + u.suffix
}

// readFigure is a figure in result.txt.
type readFigure struct {
	value, bound float64
	missed       bool
}

var figureLine = regexp.MustCompile(`(?m)^(reached|missed) +([0-9.]+)  (.+), at (?:least|most) ([0-9.]+)$`)

// readFigures returns the figures in result.txt.
func readFigures(t *testing.T) map[string]readFigure {
	t.Helper()
	all := map[string]readFigure{}
	for _, m := range figureLine.FindAllStringSubmatch(readText(t, "result.txt"), -1) {
		all[m[3]] = readFigure{value: parse(t, m[2]), bound: parse(t, m[4]), missed: m[1] == "missed"}
	}
	if len(all) == 0 {
		t.Fatal("result.txt has no figures")
	}
	return all
}

func parse(t *testing.T, number string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(number, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestGrowthPageQuotesTheTable compares sentences of docs/decisions/growth.md with result.txt and the families.
func TestGrowthPageQuotesTheTable(t *testing.T) {
	result := readText(t, "result.txt")
	replicas, replicaCases := 0, 0
	falseAlarms, ofServices, suspected, healthy := 0, 0, 0, 0
	const ramp, weekly = "growing 3% an hour for three days", "weekly swing"
	for _, f := range families() {
		leaks, inCases := replicasOf(f)
		replicas += leaks
		replicaCases += inCases
		if f.leaks() {
			continue
		}
		accused := casesFlagged(t, result, f.name, censusProbable)
		falseAlarms += accused
		if f.scope == serviceDetectors {
			ofServices += accused
			continue
		}
		counts := casesFlagged(t, result, f.name, countsProbable)
		if want := map[bool]int{true: seeds}[f.name == ramp]; counts != want {
			t.Errorf("%d cases of %q are probable without a census; docs/decisions/growth.md says %d", counts, f.name, want)
		}
		if f.name != ramp && f.name != weekly {
			suspected += casesFlagged(t, result, f.name, countsSuspected)
			healthy += seeds
		}
	}
	times := timesOf(t, result)
	ratioOf := func(family string) string { return fieldsAfter(t, times, family)[2] }
	figures := readFigures(t)
	checkPage(t, "docs/decisions/growth.md",
		fmt.Sprintf("%s of the leaks are replicas or lives of %d cases, and %d of the %d false alarms are in healthy services of ten instances or more.",
			thousands(replicas), replicaCases, ofServices, falseAlarms),
		fmt.Sprintf("the third night, %s times the oracle's time.", ratioOf(nightlyFamily)),
		fmt.Sprintf("**Lazily started keys** are accused in %s%% of the cases", cell(t, result, "workers started lazily per key", censusProbable)),
		fmt.Sprintf("does not reach: %s and %s times the oracle's time.", ratioOf("leak, among lognormal sessions"), ratioOf("leak, among sessions of 4 h")),
		fmt.Sprintf("all %d *probable* false alarms without a census are of that family.", casesFlagged(t, result, ramp, countsProbable)),
		fmt.Sprintf("Without these two families %.1f%% of the healthy cases are *suspected*.", 100*share(suspected, healthy)),
		fmt.Sprintf("restart every few hours are found in only %s%% of the cases; in return, lazily started keys are accused in %s instead",
			cell(t, result, "leak, a restart every few hours", countsSuspected),
			quoted(share(casesFlagged(t, result, "lazy keys, deploys every few hours", countsSuspected), seeds))),
		fmt.Sprintf("take 1.244 instead of %.3f times as long as the oracle", figures["census, probable: median time of leaks alone over the oracle's"].value),
		fmt.Sprintf("at a precision of 0.998 instead of %.3f", figures["census, probable: precision"].value),
		fmt.Sprintf("late instead of %s,", percentage.value(figures["census, probable: share of leaks alone later than 1.3 times it and aged_after"].value)),
	)
}

// replicasOf returns the number of leaks of a family that are replicas, and of the cases with such leaks.
func replicasOf(f family) (leaks, cases int) {
	for seed := range seeds {
		before := leaks
		for _, l := range f.make(random(f.name, seed)).leaks {
			if l.replica {
				leaks++
			}
		}
		if leaks > before {
			cases++
		}
	}
	return leaks, cases
}

// casesFlagged returns the number of cases of a healthy family that a column flags.
func casesFlagged(t *testing.T, result, family string, column int) int {
	t.Helper()
	return int(parse(t, cell(t, result, family, column))) * seeds / 100
}

// cell returns the cell of a family in the table of result.txt.
func cell(t *testing.T, result, family string, column int) string {
	t.Helper()
	return fieldsAfter(t, result, family)[column]
}
