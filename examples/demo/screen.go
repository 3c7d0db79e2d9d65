package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// screen writes lines that stay, and on a terminal below them a few that change.
type screen struct {
	out  io.Writer
	live bool // a terminal
	// drawn is how many of the lines on the screen may change.
	drawn int
}

// newScreen returns a screen on a file. Only a terminal that understands cursor
// movements is redrawn.
func newScreen(f *os.File) *screen {
	info, err := f.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return &screen{out: f, live: terminal && os.Getenv("TERM") != "" && os.Getenv("TERM") != "dumb"}
}

// say writes lines that stay.
func (s *screen) say(lines ...string) {
	s.wipe()
	for _, line := range lines {
		fmt.Fprintln(s.out, line)
	}
}

// show replaces the lines that change. It does nothing where none can.
func (s *screen) show(lines ...string) {
	if !s.live {
		return
	}
	s.wipe()
	// A line that wraps would take two, so for the moment none does.
	const noWrap, wrap = "\x1b[?7l", "\x1b[?7h"
	fmt.Fprint(s.out, noWrap+strings.Join(lines, "\n")+"\n"+wrap)
	s.drawn = len(lines)
}

// wipe takes the lines that change off the screen.
func (s *screen) wipe() {
	if s.drawn > 0 {
		fmt.Fprintf(s.out, "\x1b[%dA\x1b[J", s.drawn)
		s.drawn = 0
	}
}
