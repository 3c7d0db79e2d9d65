package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var commandLine = regexp.MustCompile(`(?m)^(?:bin/)?goroutine-leaks .*$`)

// TestCommandsInReadmes checks that the commands in the documentation parse.
func TestCommandsInReadmes(t *testing.T) {
	for _, file := range []string{"README.md", "../../README.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := commandLine.FindAllString(string(text), -1)
		if len(lines) == 0 {
			t.Errorf("%s shows no command", file)
		}
		for _, line := range lines {
			var c commands
			parser, err := kong.New(&c, durations)
			if err != nil {
				t.Fatal(err)
			}
			line = strings.ReplaceAll(strings.ReplaceAll(line, "'", ""), `"$TOKEN"`, "token")
			if _, err := parser.Parse(strings.Fields(line)[1:]); err != nil {
				t.Errorf("%s: %s: %v", file, line, err)
			}
		}
	}
}
