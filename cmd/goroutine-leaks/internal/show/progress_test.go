package show

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/watch"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

func TestProgress(t *testing.T) {
	var b bytes.Buffer
	p := Progress{To: &b, Width: 100, For: 50 * time.Second, Interval: 833 * time.Millisecond}
	s := leaking().State
	s.At, s.Findings = began, nil
	p.Update(s)
	s.At = began.Add(5 * time.Second)
	s.Targets = []watch.Target{s.Targets[0]}
	s.Targets[0].Error, s.Targets[0].Since = "connection refused", time.Second
	p.Update(s)
	s.At = began.Add(6 * time.Second)
	p.Update(s) // it is written once
	s.Targets[0].Error = ""
	p.Update(s)
	s.At = began.Add(11 * time.Second)
	p.Update(s)
	s.At = began.Add(20 * time.Second)
	s.Changes = []finding.Change{{Text: "leak probable: 20 goroutines"}}
	p.Update(s)
	compare(t, "progress.txt", b.String())
}

// TestProgressWithoutGrowth checks that a worker that has moved to another line is not growth.
func TestProgressWithoutGrowth(t *testing.T) {
	var b bytes.Buffer
	p := Progress{To: &b, Width: 100, For: 50 * time.Second, Interval: 833 * time.Millisecond}
	s := healthy().State
	s.Rows[0].Grown = 1
	s.At = began.Add(11 * time.Second)
	p.Update(s)
	if want := " 11 s  no group has grown by 2 or more so far\n"; !strings.HasSuffix(b.String(), want) {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

// TestProgressUntilReached checks that groups and plan follow the first successful look.
func TestProgressUntilReached(t *testing.T) {
	var b bytes.Buffer
	p := Progress{To: &b, Width: 100, For: 50 * time.Second, Interval: 833 * time.Millisecond}
	reached := leaking().State
	s := reached
	s.At, s.Findings, s.Rows = began, nil, nil
	s.Targets = []watch.Target{{Name: "10.0.0.5:6060", Error: "connection refused"}}
	p.Update(s)
	s.At, s.Targets, s.Rows = began.Add(time.Second), reached.Targets, reached.Rows
	p.Update(s)
	compare(t, "progress_reached.txt", b.String())
}
