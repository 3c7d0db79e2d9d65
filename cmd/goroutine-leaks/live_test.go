package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/target"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/watch"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

func someState() watch.State {
	began := time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC)
	s := watch.State{
		At: began.Add(20 * time.Second), Began: began, Thresholds: judge.Scaled(50 * time.Second),
		Targets: []watch.Target{
			{Name: "10.0.0.5:6060", Reached: true, From: target.Trace, Count: 153, Groups: 40},
			{Name: "10.0.0.6:6060", Error: strings.Repeat("connection refused ", 10)},
		},
	}
	for i := range 40 {
		row := watch.Row{
			Target: "10.0.0.5:6060", Count: 100 - i, Aged: 5,
			Place: finding.Place{State: "select", Function: fmt.Sprintf("main.group%d", i), File: "/src/main.go", Line: i + 1, Entry: "main.serve"},
		}
		if i == 0 {
			row.Severity = finding.Probable
		}
		s.Rows = append(s.Rows, row)
	}
	for range 10 {
		s.Findings = append(s.Findings, finding.Finding{
			Severity: finding.Probable, Status: finding.Open, Evidence: "91 goroutines older than 4 s at main.go:1, none has left, 7,200 more each hour",
			Began: began, PerHour: 7200, Age: 4 * time.Second,
		})
	}
	return s
}

// TestScreenFits checks that the view fits in the terminal and has the worst group.
func TestScreenFits(t *testing.T) {
	for _, size := range [][2]int{{40, 12}, {40, 40}, {80, 24}, {120, 50}, {200, 100}} {
		s := &screen{options: watch.Options{For: 50 * time.Second}}
		if text := s.View().Content; text != "Connecting...\n" {
			t.Errorf("before the first look: %q", text)
		}
		s.Update(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
		s.Update(someState())
		content := s.View().Content
		lines := strings.Split(strings.TrimSuffix(content, "\n"), "\n")
		if len(lines) > size[1] && size[1] > 20 {
			t.Errorf("%v: %d lines", size, len(lines))
		}
		for _, line := range lines {
			if width := lipgloss.Width(line); width > size[0] {
				t.Errorf("%v: %d columns: %q", size, width, line)
			}
		}
		if !strings.Contains(content, "main.go:1 ") || !strings.Contains(content, "retrying") || !strings.Contains(content, "30 s left") {
			t.Errorf("%v:\n%s", size, content)
		}
	}
}

// TestKeys checks the keys that end the watch.
func TestKeys(t *testing.T) {
	for _, key := range []tea.KeyPressMsg{{Code: 'q', Text: "q"}, {Code: tea.KeyEscape}, {Code: 'c', Mod: tea.ModCtrl}} {
		ended := false
		s := &screen{stop: func() { ended = true }}
		s.Update(tea.KeyPressMsg{Code: 'x', Text: "x"})
		if ended {
			t.Error("x ends the watch")
		}
		if s.Update(key); !ended {
			t.Errorf("%s does not end the watch", key)
		}
	}
	if (&screen{}).Init() != nil {
		t.Error("there is an initial command")
	}
}

func TestFindTerminal(t *testing.T) {
	for columns, want := range map[string]int{"": 0, "40": 40, "-1": 0, "many": 0} {
		s := streams{}
		s.findTerminal(devNull(t), func(name string) string {
			if name == "COLUMNS" {
				return columns
			}
			return ""
		})
		if s.width != want || s.terminal != nil {
			t.Errorf("COLUMNS=%s: width %d, terminal %v", columns, s.width, s.terminal != nil)
		}
	}
}

func devNull(t *testing.T) *os.File {
	t.Helper()
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() }) // only read from
	return file
}
