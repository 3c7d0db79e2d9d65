package main

import (
	"bytes"
	"slices"
	"strings"
	"sync"
)

const (
	// keptLines is how many lines are kept: a panic shows its cause within.
	keptLines = 15
	// keptBytes is how much of a line is kept.
	keptBytes = 400
)

// lastLines keeps the last lines that were written to it. It is safe for
// concurrent use; the zero value is ready.
type lastLines struct {
	mu      sync.Mutex
	lines   []string
	partial []byte // of the line that has not ended
}

// Write never fails.
func (l *lastLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(p)
	for {
		line, rest, ended := bytes.Cut(p, []byte("\n"))
		l.partial = append(l.partial, line[:min(len(line), keptBytes-len(l.partial))]...)
		if !ended {
			return n, nil
		}
		l.push()
		p = rest
	}
}

func (l *lastLines) push() {
	l.lines = append(l.lines, string(l.partial))
	l.partial = l.partial[:0]
	if len(l.lines) > keptLines {
		l.lines = l.lines[1:]
	}
}

// String returns the lines, each indented, oldest first.
func (l *lastLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.lines
	if len(l.partial) > 0 {
		lines = append(slices.Clip(lines), string(l.partial))
	}
	if len(lines) == 0 {
		return ""
	}
	return "  " + strings.Join(lines, "\n  ")
}
