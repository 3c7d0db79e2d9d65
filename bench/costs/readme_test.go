package costs

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"text/template"
)

// quoted has the rows of the table of costs in README.md. bench returns a figure of a benchmark, line a figure of
// another line, both rounded to two significant digits.
const quoted = `| CPU of a sample, relative to a goroutine profile that is read and grouped | {{bench "Sample/1000" "cpu-of-profile" 1}}, {{bench "Sample/10000" "cpu-of-profile" 1}}, {{bench "Sample/100000" "cpu-of-profile" 1}} at 1,000, 10,000, 100,000 goroutines |
| longest pause of the service, 100,000 goroutines | {{bench "Pause/100000" "µs-longest" 0.001}} ms |
| memory of the service per goroutine | {{bench "Memory/100000" "B-afterwards/goroutine" 1}} bytes; {{bench "Memory/100000" "B-in-all/goroutine" 1}} allocated during a sample, {{bench "Memory/100000" "B-runtime/goroutine" 1}} of them by the runtime |
| execution tracing occupied by a sample at 1,000, 10,000, 100,000 goroutines | {{bench "Tracing/1000" "ms-occupied" 1}}, {{bench "Tracing/10000" "ms-occupied" 1}}, {{bench "Tracing/100000" "ms-occupied" 1}} ms |
| where goroutines gather: a trace of a second, now and then | at 5,000 requests per second, CPU per request times {{bench "TracedServer/5000-requests-a-second" "CPU-ratio" 1}} while it is taken, p99 times {{bench "TracedServer/5000-requests-a-second" "p99-ratio" 1}}; 0.0005 of a core on average at most |
| size of the service's binary | {{line "instrument, of a service that reports by OTLP: ([0-9.]+) MB"}} MB; {{line "auto, of a service without OpenTelemetry: ([0-9.]+) MB"}} with ` + "`auto`" + `, if it had no OpenTelemetry |
`

func TestReadmeQuotesTheCosts(t *testing.T) {
	readme, recorded := readText(t, "../../README.md"), readText(t, "../results/costs.txt")
	rows, err := template.New("").Funcs(template.FuncMap{
		"bench": func(name, unit string, scale float64) (string, error) {
			return figure(recorded, `(?m)^Benchmark`+name+`(?:-\d+)?\s.*\s([0-9.e+-]+) `+regexp.QuoteMeta(unit)+`(?:\s|$)`, scale)
		},
		"line": func(pattern string) (string, error) { return figure(recorded, pattern, 1) },
	}).Parse(quoted)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := rows.Execute(&want, nil); err != nil {
		t.Fatal(err)
	}
	for row := range strings.Lines(want.String()) {
		if !strings.Contains(readme, row) {
			t.Errorf("README.md does not have the row of costs.txt:\n%s", row)
		}
	}
}

// figure returns the number that pattern matches in text, scaled and rounded.
func figure(text, pattern string, scale float64) (string, error) {
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if found == nil {
		return "", fmt.Errorf("costs.txt has no %s", pattern)
	}
	n, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		return "", err
	}
	n *= scale
	unit := math.Pow(10, math.Floor(math.Log10(n))-1)
	rounded := math.Round(n/unit) * unit
	return strconv.FormatFloat(rounded, 'f', max(0, int(1-math.Floor(math.Log10(n)))), 64), nil
}

func readText(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
