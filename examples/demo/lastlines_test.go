package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestLastLines(t *testing.T) {
	for _, tc := range []struct {
		name   string
		writes []string
		want   string
	}{
		{"nothing", nil, ""},
		{"one line", []string{"a\n"}, "  a"},
		{"a line in pieces", []string{"a", "b\nc", "\n"}, "  ab\n  c"},
		{"a line without an end", []string{"a\nb"}, "  a\n  b"},
		{"an empty line", []string{"a\n\nb\n"}, "  a\n  \n  b"},
		{"a long line", []string{strings.Repeat("x", keptBytes), strings.Repeat("y", 10) + "\nz\n"}, "  " + strings.Repeat("x", keptBytes) + "\n  z"},
	} {
		var l lastLines
		for _, w := range tc.writes {
			if n, err := l.Write([]byte(w)); n != len(w) || err != nil {
				t.Errorf("%s: wrote %d of %d bytes, %v", tc.name, n, len(w), err)
			}
		}
		if got := l.String(); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestLastLinesForgetsTheFirst(t *testing.T) {
	var l lastLines
	for i := range 3 * keptLines {
		fmt.Fprintln(&l, i)
	}
	lines := strings.Split(l.String(), "\n")
	first, last := fmt.Sprintf("  %d", 2*keptLines), fmt.Sprintf("  %d", 3*keptLines-1)
	if len(lines) != keptLines || lines[0] != first || lines[len(lines)-1] != last {
		t.Errorf("kept %d lines, %q to %q", len(lines), lines[0], lines[len(lines)-1])
	}
}
