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
	_, median, found := strings.Cut(result, "Time until probable, with the census, max_lifetime 12h:")
	if !found {
		t.Fatal("result.txt has no times with the census")
	}
	for family, sentence := range map[string]string{
		"leak, 1 a minute":               "alone is *probable* after %s.",
		"leak, among sessions of 10 min": "sessions of ten minutes come and go takes %s,",
		"leak, among sessions of 1 h":    "among sessions of an hour %s,",
		"leak, among sessions of 4 h":    "of four hours %s.",
	} {
		took := duration(t, fieldsAfter(t, median, family)[0])
		if want := fmt.Sprintf(sentence, inWords(took)); !strings.Contains(strings.ReplaceAll(readme, "\n", " "), want) {
			t.Errorf("README.md does not say %q", want)
		}
	}
	oracle := duration(t, fieldsAfter(t, median, "leak, 1 a minute")[1])
	if want := fmt.Sprintf("takes %s.", inWords(oracle)); !strings.Contains(strings.ReplaceAll(readme, "\n", " "), want) {
		t.Errorf("README.md does not say of the oracle that it %s", want)
	}
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
