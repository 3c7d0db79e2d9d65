package findings

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// printedFinding matches an event in the output of the debug exporter, from its severity to its last
// attribute.
var printedFinding = regexp.MustCompile(`SeverityText: \w+\nSeverityNumber: .*\nEventName: goroutine\.leak\nBody: .*\nAttributes:\n(?:     -> .*\n)+`)

// checkReadme compares the finding in README.md with the output of the debug exporter, and the sentence about
// a closed finding with the body of an event.
func checkReadme(t *testing.T, printed string, l *leak, closed string) {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	require.NoError(t, err)
	shown := printedFinding.FindAllString(string(readme), -1)
	require.Len(t, shown, 1, "README.md shows one finding")
	latest := ""
	for _, event := range printedFinding.FindAllString(printed, -1) {
		if strings.Contains(event, " at "+l.waits+" in "+l.module+",") {
			latest = event
		}
	}
	require.NotEmpty(t, latest)
	t.Log(latest)
	assert.Equal(t, normalize(latest), normalize(shown[0]))
	assert.Contains(t, normalize(string(readme)), "\n"+normalize(closed)+"\n")
}

// normalize replaces the parts of a printed finding that differ between runs, such as numbers, IDs, whether the
// leak was suspected before, and whether there are goroutines from before it was watched.
func normalize(printed string) string {
	for _, variable := range []struct{ pattern, name string }{
		{`leak probable, (was suspected|its origin is known now):`, `leak probable:`},
		{`Str\((raised|explained)\)`, `Str(detected)`},
		{`SeverityText: Info\nSeverityNumber: Info\(9\)`, "SeverityText: Warn\nSeverityNumber: Warn(13)"},
		{`(?m)^ +-> goroutine\.leak\.certainty\.before: .*\n`, ``},
		{`\b(Int|Double)\([0-9.e+]+\)`, `$1(N)`},
		{`, [0-9,]+ with earlier ones`, ``},
		{`[0-9,]+( goroutines| more each hour)`, `N$1`},
		{`\b[0-9a-f]{16}\b`, `ID`},
		{`\b[0-9a-f]{8}\b`, `VERSION`},
		{`file\.path: Str\(/.*/`, `file.path: Str(`},
		{`\(/[^ ]*/([^/ ]+\.go:\d+)\)`, `($1)`},
		{`leave \([0-9]+\)`, `leave (N)`},
		{`"[0-9.]+:[0-9]+"`, `INSTANCE`},
	} {
		printed = regexp.MustCompile(variable.pattern).ReplaceAllString(printed, variable.name)
	}
	return printed
}
