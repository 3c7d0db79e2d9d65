package instrument

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/internal/settings"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// emitted is every metric of our own, with its unit.
var emitted = map[string]string{
	telemetry.GoroutineCreations: telemetry.UnitGoroutine,
	telemetry.StateCount:         telemetry.UnitGoroutine,
	telemetry.ProcessCPUTime:     telemetry.UnitSeconds,
	telemetry.StackCount:         telemetry.UnitGoroutine,
	telemetry.StackAgedCount:     telemetry.UnitGoroutine,
	telemetry.StackAgedExits:     telemetry.UnitGoroutine,
	telemetry.StackLeakedCount:   telemetry.UnitGoroutine,
	telemetry.EntryCount:         telemetry.UnitGoroutine,
	telemetry.EntryAgedCount:     telemetry.UnitGoroutine,
	telemetry.EntryAgedExits:     telemetry.UnitGoroutine,
	telemetry.ProcessBuild:       telemetry.UnitBuild,
	telemetry.SampleInterval:     telemetry.UnitSeconds,
	telemetry.OriginCreations:    telemetry.UnitGoroutine,
	telemetry.OriginWakeups:      telemetry.UnitWakeup,
	telemetry.OriginLifetime:     telemetry.UnitSeconds,
	telemetry.OriginTraced:       telemetry.UnitSeconds,
	telemetry.SampleDuration:     telemetry.UnitSeconds,
}

func TestOnlyWhatIsWrittenDownIsEmitted(t *testing.T) {
	r := begin(t)
	c := r.until(t, "a sample", sampledBy("trace"))
	for name := range c {
		if _, ok := emitted[name]; !ok && !strings.HasPrefix(name, "go.") {
			t.Errorf("%s is not written down", name)
		}
	}
	for name := range emitted {
		if len(c[name]) == 0 && name != telemetry.StackLeakedCount && !isAbsentHere(name) && !strings.HasPrefix(name, "goroutine.origin.") {
			t.Errorf("%s is not emitted", name)
		}
	}
}

// isAbsentHere reports whether this version of Go, or this binary, cannot tell a metric.
func isAbsentHere(name string) bool {
	if name == telemetry.ProcessBuild {
		return len(buildAttributes()) == 0
	}
	_, known := uint64Of(readMetrics(createdMetric)[0])
	return !known && (name == telemetry.GoroutineCreations || name == telemetry.StateCount)
}

func TestDocCommentHasEveryMetric(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "instrument.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var doc string
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "Start" {
			doc = f.Doc.Text()
		}
	}
	for line := range strings.Lines(doc) {
		if len(line) > 80 && strings.HasPrefix(line, "\t") {
			t.Errorf("%d columns are too many for a page to show: %s", len(line), line)
		}
	}
	lines := regexp.MustCompile(`(?m)^\t([a-z._]+) +(\{goroutine\}|\{wakeup\}|\{build\}|s) +\S`).FindAllStringSubmatch(doc, -1)
	written := make(map[string]string)
	for _, l := range lines {
		written[l[1]] = l[2]
	}
	compareTables(t, written)
}

func TestReadmeHasEveryMetric(t *testing.T) {
	written := make(map[string]string)
	for _, cells := range table(t) {
		if name := cells[0]; len(cells) == 3 && strings.Count(name, "`") == 2 && strings.Contains(name, ".") {
			written[strings.Trim(name, "`")] = strings.Trim(cells[1], "`")
		}
	}
	compareTables(t, written)
}

func compareTables(t *testing.T, written map[string]string) {
	t.Helper()
	for name, unit := range emitted {
		if written[name] != unit {
			t.Errorf("%s in %s is written down with the unit %q", name, unit, written[name])
		}
	}
	if len(written) != len(emitted) {
		t.Errorf("%d metrics are written down, %d emitted", len(written), len(emitted))
	}
}

// table returns the cells of all tables of the README.
func table(t *testing.T) (rows [][]string) {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "|") {
			cells := strings.Split(strings.Trim(line, "|"), "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			rows = append(rows, cells)
		}
	}
	return rows
}

func TestReadmeHasEverySetting(t *testing.T) {
	rows := table(t)
	// The default is written so that the variable takes it.
	for _, s := range settings.All() {
		i := slices.IndexFunc(rows, func(cells []string) bool {
			return cells[0] == "`"+s.Option+"`" && cells[1] == "`"+s.Variable+"`"
		})
		if i < 0 {
			t.Errorf("%s with %s is not written down", s.Option, s.Variable)
			continue
		}
		d := settings.Default()
		if err := s.Set(&d, strings.Trim(rows[i][2], "`")); err != nil || d != settings.Default() {
			t.Errorf("%s: the default is not %s", s.Option, rows[i][2])
		}
	}
	for _, variable := range []string{settings.DisabledVariable, "OTEL_LOG_LEVEL"} {
		if !slices.ContainsFunc(rows, func(cells []string) bool { return len(cells) > 1 && cells[1] == "`"+variable+"`" }) {
			t.Errorf("%s is not written down", variable)
		}
	}
}
