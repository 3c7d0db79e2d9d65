package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestReadmeQuotesTheTable compares the figures in README.md with result.txt.
func TestReadmeQuotesTheTable(t *testing.T) {
	readme, result := readText(t, "../../README.md"), readText(t, "result.txt")
	recall, falsePositives := numbers(t, result, "recall"), numbers(t, result, "false positive rate")
	for _, row := range []struct {
		name   string
		column int // of result.txt
	}{
		{"*probable*", 1},
		{"*suspected*", 0},
		{"`go_goroutines > 1000`", 7},
		{"`deriv(go_goroutines[1h])` above 10 an hour", 9},
		{"10,000 at one channel operation, as LeakProf", 11},
	} {
		want := fmt.Sprintf("| %s | %s | %s |", row.name, quoted(recall[row.column]), quoted(falsePositives[row.column]))
		if !strings.Contains(readme, want) {
			t.Errorf("README.md does not have the row %s", want)
		}
	}
	median := timesOf(t, result)
	var want []string
	for family, sentence := range map[string]string{
		"leak, 1 a minute":               "alone is *probable* after %s.",
		"leak, among sessions of 10 min": "sessions of ten minutes come and go takes %s,",
		"leak, among sessions of 1 h":    "among sessions of an hour %s,",
		"leak, among sessions of 4 h":    "of four hours %s.",
	} {
		want = append(want, fmt.Sprintf(sentence, inWords(duration(t, fieldsAfter(t, median, family)[0]))))
	}
	oracle := duration(t, fieldsAfter(t, median, "leak, 1 a minute")[1])
	checkPage(t, "README.md", append(want, fmt.Sprintf("takes %s.", inWords(oracle)))...)
	checkPage(t, "docs/claims.md", fmt.Sprintf("%s of leaks are found, and %s of healthy cases are called *probable*",
		quoted(recall[censusProbable]), quoted(falsePositives[censusProbable])))
}

// TestPagesQuoteTheNumberOfCases compares the numbers of cases in pages with the families.
func TestPagesQuoteTheNumberOfCases(t *testing.T) {
	leaks, shortest, longest := 0, families()[0].hours, 0
	for _, f := range families() {
		if f.leaks() {
			leaks++
		}
		shortest, longest = min(shortest, f.hours), max(longest, f.hours)
	}
	if shortest != 12 || longest != 7*24 {
		t.Errorf("the cases are of %d to %d h; README.md and legend.go say half a day to a week", shortest, longest)
	}
	all := len(families())
	count := func(families int) string { return thousands(families * seeds) }
	checkPage(t, "README.md", fmt.Sprintf("Of %s simulated cases of half a day to a week, %s with leaks and %s healthy",
		count(all), count(leaks), count(all-leaks)))
	checkPage(t, "CONTRIBUTING.md", count(all)+" simulated cases")
	checkPage(t, "docs/comparison.md", fmt.Sprintf("the same %s simulated cases", count(all)))
	checkPage(t, "docs/decisions/growth.md", fmt.Sprintf("simulates %s cases", count(all)))
	checkPage(t, "docs/decisions/ci.md", fmt.Sprintf("| %s cases |", thousands(all*firstCases)), fmt.Sprintf("the first %d cases of each family", firstCases))
}

// leaks reports whether the cases of a family have leaks.
func (f family) leaks() bool { return len(f.make(random(f.name, 0)).leaks) > 0 }

// checkPage fails for each sentence that a page does not have.
func checkPage(t *testing.T, page string, sentences ...string) {
	t.Helper()
	text := strings.Join(strings.Fields(readText(t, "../../"+page)), " ")
	for _, want := range sentences {
		if !strings.Contains(text, want) {
			t.Errorf("%s does not say %q", page, want)
		}
	}
}

// timesOf returns the first table of times in result.txt.
func timesOf(t *testing.T, result string) string {
	t.Helper()
	_, times, found := strings.Cut(result, "Time until probable, with the census, max_lifetime 12h:")
	if !found {
		t.Fatal("result.txt has no times with the census")
	}
	return times
}

// thousands formats a number with a comma.
func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

func readText(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// fieldsAfter returns the fields of the line that begins with a name.
func fieldsAfter(t *testing.T, text, name string) []string {
	t.Helper()
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.Fields(rest)
		}
	}
	t.Fatalf("result.txt has no line %q", name)
	return nil
}

func numbers(t *testing.T, text, name string) []float64 {
	t.Helper()
	var all []float64
	for _, field := range fieldsAfter(t, text, name) {
		n, err := strconv.ParseFloat(field, 64)
		if err != nil {
			n = -1 // the oracle has no false positives
		}
		all = append(all, n)
	}
	return all
}

// quoted formats a share as in README.md, with a decimal near 0 and 1.
func quoted(share float64) string {
	switch {
	case share == 0:
		return "none"
	case share < 0.01 || share > 0.99:
		return fmt.Sprintf("%.1f%%", 100*share)
	}
	return fmt.Sprintf("%.0f%%", 100*share)
}

// duration parses a time such as 3h42.
func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text + "m")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// inWords formats a time, in minutes below ten hours and in hours above.
func inWords(d time.Duration) string {
	if d > 10*time.Hour {
		return fmt.Sprintf("%.0f h", d.Hours())
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}
