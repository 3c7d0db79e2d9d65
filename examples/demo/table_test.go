package main

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	got := table([]finding{
		{group: group{entry: "main.loop"}, severity: suspected, count: 7, perHour: 1234.5},
		{
			group: group{"1", "main.call"}, severity: probable, state: "chan_send", function: "example.com/a/b.(*T).send",
			file: "/src/a/b/t.go", line: "12", count: 31, perHour: 7200,
		},
		{group: group{"2", "main.run"}, severity: probable, state: "running", function: "main.run", file: "run.go", count: 9},
		{group: group{"other", ""}, severity: suspected, count: 100},
	})
	want := strings.Trim(`
SEVERITY   STATE      FUNCTION                   FILE:LINE  GOROUTINES  PER HOUR
probable   chan_send  example.com/a/b.(*T).send  t.go:12            31     +7200
probable   running    main.run                   run.go              9        +0
suspected  -          other                      -                 100        +0
suspected  -          main.loop (entry)          -                   7     +1234
`, "\n")
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("got\n%s", text)
	}
}
