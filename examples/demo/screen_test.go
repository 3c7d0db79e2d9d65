package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestScreenWithoutTerminalOnlySays(t *testing.T) {
	var out bytes.Buffer
	s := &screen{out: &out}
	s.show("1 of 4")
	s.say("found", "again")
	s.show("2 of 4")
	if got := out.String(); got != "found\nagain\n" {
		t.Errorf("got %q", got)
	}
}

func TestScreenRedrawsWhatChanges(t *testing.T) {
	var out bytes.Buffer
	s := &screen{out: &out, live: true}
	s.show("1 of 4", "table")
	s.show("2 of 4")
	s.say("done")
	s.say("and over")
	want := "\x1b[?7l1 of 4\ntable\n\x1b[?7h" +
		"\x1b[2A\x1b[J\x1b[?7l2 of 4\n\x1b[?7h" +
		"\x1b[1A\x1b[Jdone\nand over\n"
	if got := out.String(); got != want {
		t.Errorf("got %q", got)
	}
}

func TestFileIsNoTerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if newScreen(f).live {
		t.Error("a file is taken for a terminal")
	}
}
