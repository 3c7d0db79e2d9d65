package main

import (
	"os"
	"strconv"

	"github.com/charmbracelet/x/term"
)

// findTerminal sets terminal and width. COLUMNS sets the width of other outputs.
func (s *streams) findTerminal(stdout *os.File, getenv func(string) string) {
	if columns, err := strconv.Atoi(getenv("COLUMNS")); err == nil && columns > 0 {
		s.width = columns
	}
	if !term.IsTerminal(stdout.Fd()) || getenv("TERM") == "dumb" {
		return
	}
	s.terminal = stdout
	if width, _, err := term.GetSize(stdout.Fd()); err == nil && width > 0 {
		s.width = width
	}
}
