package main

import (
	"strings"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/watch"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

func TestIgnoreList(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	place := finding.Place{Function: "main.f", File: "/src/main.go", Line: 17, Entry: "main.e"}
	rows := []watch.Row{
		{Place: place, Count: 100, Signature: "0123456789abcdef"},
		{Place: finding.Place{Function: "main.g", File: "/src/main.go", Line: 20, Entry: "main.e"}, Count: 22},
	}
	for _, test := range []struct {
		rule    string
		ignored bool
		want    string
	}{
		{"function=main.f,entry=main.e,reason=known", true, "ignored: 100 goroutines at main.go:17 (known)"},
		{"signature=0123456789abcdef", true, "ignored: 100 goroutines at main.go:17"},
		{"entry=main.e,until=2026-11-26", true, "ignored: 122 goroutines at main.go:17 and 1 other line"}, // the last day
		{"entry=main.e,until=2026-11-25,reason=old", false, "--ignore entry=main.e ended on 2026-11-25, so it ignores nothing (old)"},
		{"entry=main.absent", false, "--ignore entry=main.absent matched nothing"},
	} {
		list, err := parseIgnore([]string{test.rule}, now)
		if err != nil {
			t.Fatal(err)
		}
		if ignored := list.matches(judge.Sample{Place: place, Signature: "0123456789abcdef"}); ignored != test.ignored {
			t.Errorf("%s: ignored is %v", test.rule, ignored)
		}
		if got := list.exclusions(rows)[0].String(); got != test.want {
			t.Errorf("%s: got %q, want %q", test.rule, got, test.want)
		}
	}
}

// TestIgnoreWithoutRows checks that a replay, which has no rows, names the rule.
func TestIgnoreWithoutRows(t *testing.T) {
	list, err := parseIgnore([]string{"entry=main.e,reason=known"}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	list.matches(judge.Sample{Place: finding.Place{Entry: "main.e"}})
	if got := list.exclusions(nil)[0].String(); got != "ignored: entry=main.e (known)" {
		t.Errorf("got %q", got)
	}
}

func FuzzParseIgnore(f *testing.F) {
	f.Add("function=main.f,entry=main.e")
	f.Add("signature=0,until=2026-11-26,reason=a=b")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parseIgnore([]string{text}, time.Time{})
		if (err == nil) != (len(list) == 1) {
			t.Fatalf("%v, %v", list, err)
		}
		if err == nil && strings.Trim(list[0].selection(), ",=") == "" {
			t.Fatal("a rule that ignores everything")
		}
	})
}
