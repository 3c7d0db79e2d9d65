package show

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/replay"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/target"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/watch"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// To write the golden files: go test ./internal/show -update
var update = flag.Bool("update", false, "write the golden files")

func compare(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

var began = time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC)

var order = finding.Place{
	State: "chan_send", Function: "example.com/shop/order.(*pool).ask", File: "/src/shop/order.go", Line: 88,
	Entry: "example.com/shop/order.Checkout.func1",
}

func leak() finding.Finding {
	return finding.Finding{
		ID: "3e0e28e30f2a7cd8", Service: finding.Service{Name: "10.0.0.5:6060"}, Status: finding.Open, Severity: finding.Probable,
		Evidence: "91 goroutines older than 4 s at order.go:88, none has left, 7,200 more each hour",
		Head:     order, Places: []finding.Place{order}, Class: mistake.AnswerNotTaken, Page: "docs/leaks/chan_send.md",
		Creators: []finding.Origin{{Function: "example.com/shop/order.Checkout", File: "/src/shop/order.go", Line: 70, Share: 0.75}},
		Wakers:   []finding.Origin{{Function: "example.com/shop/order.(*pool).take", File: "/src/shop/order.go", Line: 90, Share: 1, Call: "example.com/shop/order.(*pool).put"}},
		Count:    91, PerHour: 7200, Age: 4 * time.Second, Began: began.Add(5 * time.Second), Acquittal: "half of them leave (46), or none comes for a day",
	}
}

func leaking() *Report {
	return &Report{
		State: watch.State{
			At: began.Add(50 * time.Second), Began: began, Looks: 60, Thresholds: judge.Scaled(50 * time.Second),
			Targets: []watch.Target{{
				Name: "10.0.0.5:6060", Service: "10.0.0.5:6060", Reached: true, From: target.Trace, Count: 153, Groups: 3, Watched: 50 * time.Second, Longest: 50 * time.Second, Looks: 60,
			}},
			Rows: []watch.Row{
				{
					Target: "10.0.0.5:6060", Signature: "0123456789abcdef", Place: order, Count: 95, Grown: 91, Aged: 91, Exits: 0,
					Severity: finding.Probable, ID: "3e0e28e30f2a7cd8",
				},
				{
					Target: "10.0.0.5:6060", Signature: "1123456789abcdef", Count: 40, Grown: 12, Aged: 38, Exits: 0, Undecided: true,
					Place: finding.Place{State: "chan_receive", Function: "main.work", File: "/src/shop/main.go", Line: 12, Entry: "main.work"},
				},
				{
					Target: "10.0.0.5:6060", Signature: "2123456789abcdef", Count: 18, Grown: -2, Aged: -1, Exits: -1,
					Place: finding.Place{State: "running", Function: "main.serve", File: "/src/shop/main.go", Entry: "main.serve"},
				},
			},
			Findings: []finding.Finding{leak()},
		},
		Problems: []error{errors.New("10.0.0.5:6060: cannot find what starts the goroutines: no execution trace")},
	}
}

func healthy() *Report {
	r := leaking()
	r.Findings, r.Problems = nil, nil
	r.Rows = r.Rows[2:]
	return r
}

// doubtful is a report with an undecided group, of a target that was restarted and one without
// traces.
func doubtful() *Report {
	r := leaking()
	r.Findings, r.Problems = nil, nil
	r.Rows = r.Rows[1:]
	r.Targets[0].Restarts, r.Targets[0].Watched, r.Targets[0].Busy = 1, 20*time.Second, 3
	r.Exclusions = []Exclusion{{Rule: "entry=main.serve", Reason: "ticket-12", Matched: true, Goroutines: 18, Lines: []string{"main.go:30"}}}
	r.Targets = append(r.Targets, watch.Target{
		Name: "10.0.0.6:6060", Service: "10.0.0.6:6060", Error: "connection refused", Since: 12 * time.Second, Reached: true, From: target.Profile,
		Lacks: "no execution trace (404), so ages are unknown and leaks are suspected at most", Count: 10, Groups: 2, Watched: 38 * time.Second,
	})
	return r
}

// working is a report with a finding that is only suspected, since its goroutines are at work, in a
// process that another client traced too.
func working() *Report {
	r := leaking()
	r.Problems, r.Rows = nil, nil
	r.Targets[0].Busy = 3
	r.Exclusions = []Exclusion{{Rule: "entry=main.a_b", Ended: "2026-11-25"}}
	r.Findings[0].Severity = finding.Suspected
	r.Origins = []watch.Origin{{Target: "10.0.0.5:6060", Origin: origin.Origin{
		Signature: stack.Signature{
			State: stack.StateChanSend, Blamed: stack.Frame{Function: order.Function, File: order.File, Line: order.Line}, Entry: order.Entry,
		},
		Traced: time.Second, Older: 91, Served: 88,
	}}}
	return r
}

func TestReports(t *testing.T) {
	for name, report := range map[string]*Report{"leaking": leaking(), "healthy": healthy(), "doubtful": doubtful(), "working": working()} {
		for form, write := range map[string]func(io.Writer, *Report) error{"txt": Text, "md": Markdown, "json": JSON} {
			var b bytes.Buffer
			if err := write(&b, report); err != nil {
				t.Fatal(err)
			}
			compare(t, name+"."+form, b.String())
			if form == "json" && !json.Valid(b.Bytes()) {
				t.Errorf("%s.json is not JSON", name)
			}
		}
	}
}

// TestSummary checks that the summary of a page, which has no lines, has no table.
func TestSummary(t *testing.T) {
	want := "Watched 163 goroutines in 5 groups for 50 s: no leak found, but 1 group may be one: main.go:12 (+12).\n" +
		"No old goroutine has left, but growth seems to slow, as in a pool that fills.\n" +
		"To decide, watch longer: --for 4m10s. ignored: 18 goroutines at main.go:30 (ticket-12)."
	if got := doubtful().Summary(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestResults(t *testing.T) {
	suspected := leaking()
	suspected.Findings[0].Severity = finding.Suspected
	suspected.Rows = nil
	counts := leaking()
	counts.Findings[0].Severity, counts.Rows = finding.Suspected, nil
	counts.Targets[0].From = target.Profile
	unreached := healthy()
	unreached.Targets[0].Reached, unreached.Targets[0].Error = false, "connection refused"
	short := healthy()
	short.Targets[0].Watched, short.Targets[0].Longest = 30*time.Second, 30*time.Second
	replaced := healthy()
	replaced.Targets[0].Longest = 25 * time.Second
	undecided := leaking()
	undecided.Findings = nil
	for _, test := range []struct {
		name, failOn string
		report       *Report
		want         Outcome
	}{
		{"leak", "probable", leaking(), Leak},
		{"confirmed", "confirmed", leaking(), Clean}, // more time would not confirm it
		{"suspected", "suspected", suspected, Leak},
		{"suspected_only", "probable", suspected, Insufficient},
		{"counts", "probable", counts, Insufficient},
		{"counts_suspected", "suspected", counts, Leak},
		{"healthy", "probable", healthy(), Clean},
		{"unreached", "probable", unreached, Unreachable},
		{"short", "probable", short, Insufficient},
		{"replaced", "probable", replaced, Insufficient},
		{"undecided", "probable", undecided, Insufficient},
		{"working", "probable", working(), Insufficient},
		{"working_suspected", "suspected", working(), Leak},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := NewResult(test.report, test.failOn, 50*time.Second)
			if r.Outcome != test.want {
				t.Fatalf("%s, want %s", r, test.want)
			}
			var b bytes.Buffer
			if err := JUnit(&b, r); err != nil {
				t.Fatal(err)
			}
			var parsed suite
			if err := xml.Unmarshal(b.Bytes(), &parsed); err != nil || parsed.Tests != len(parsed.Cases) || parsed.Tests == 0 {
				t.Errorf("%v: %s", err, b.String())
			}
			compare(t, "result_"+test.name+".xml", r.String()+"\n"+b.String())
		})
	}
}

// TestTableFits checks that no line is wider than the terminal.
func TestTableFits(t *testing.T) {
	r := leaking()
	r.Rows = append(r.Rows, watch.Row{Place: finding.Place{
		State: "rwmutex_write", Function: "a/" + strings.Repeat("ä", 1<<14), File: strings.Repeat("long/", 1000) + strings.Repeat("f", 500) + ".go", Line: 123456,
		Entry: strings.Repeat("e", 1<<14),
	}, Count: 123456789, Grown: 123456789, Aged: 123456789})
	for _, width := range []int{0, 20, 40, 60, 80, 120, 200} {
		for _, withTarget := range []bool{false, true} {
			lines := Table(r.Rows, withTarget, width)
			if len(lines) != len(r.Rows)+1 {
				t.Fatalf("%d lines of %d rows", len(lines), len(r.Rows))
			}
			for _, text := range lines {
				if n := utf8.RuneCountInString(text); width >= 40 && n > width || n > 500 {
					t.Errorf("width %d: %d columns: %s", width, n, text)
				}
			}
			compare(t, fmt.Sprintf("table_%d_%v.txt", width, withTarget), strings.Join(Table(leaking().Rows, withTarget, width), "\n")+"\n")
		}
	}
}

// TestHostileNames checks that names from a process are not markup.
func TestHostileNames(t *testing.T) {
	r := leaking()
	f := &r.Findings[0]
	hostile := "<img src=x onerror=alert(1)> [a](http://evil) `code` *b* @everyone #1 ![x](y)\n# heading"
	f.Head.Function, f.Evidence, f.Head.File = hostile, hostile, hostile
	f.Places[0], f.Service.Name = f.Head, hostile
	var b bytes.Buffer
	if err := Markdown(&b, r); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<img", "[a](", " @everyone", "![x]", "\n# heading", " *b*", " #1"} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("%q is in the Markdown:\n%s", bad, b.String())
		}
	}
	b.Reset()
	if err := JUnit(&b, NewResult(r, "probable", 50*time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(b.Bytes(), &suite{}); err != nil {
		t.Error(err)
	}
}

// TestManyFindings checks that a report has the first of 100,000 findings, and their number.
func TestManyFindings(t *testing.T) {
	r := leaking()
	for i := range 100_000 {
		f := leak()
		f.ID = fmt.Sprintf("%016x", i)
		r.Findings = append(r.Findings, f)
	}
	var b bytes.Buffer
	if err := Text(&b, r); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(b.String(), "\n"); lines > 2000 || !strings.Contains(b.String(), "100001 leaks") {
		t.Errorf("%d lines", lines)
	}
}

// TestClosedPipe checks that errors of writes are returned.
func TestClosedPipe(t *testing.T) {
	closed := closedPipe{}
	for name, err := range map[string]error{
		"text": Text(closed, leaking()), "json": JSON(closed, leaking()), "markdown": Markdown(closed, leaking()),
		"junit": JUnit(closed, NewResult(leaking(), "probable", time.Minute)),
	} {
		if !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestReplay(t *testing.T) {
	f := leak()
	whole := f
	whole.Head, whole.ID = finding.Place{}, "1"
	r := &replay.Result{
		From: began.Add(-time.Hour), To: began, Series: 2, Samples: 200, Processes: 1, Thresholds: judge.Defaults(), Skew: -2 * time.Hour, PlainOnly: true,
		Changes: []finding.Change{
			{Kind: finding.Raised, At: began.Add(-time.Minute), Was: finding.Suspected, Finding: f, Text: "leak probable, was suspected: " + f.Evidence},
			{Kind: finding.Detected, At: began.Add(-30 * time.Minute), Finding: whole, Text: "leak suspected: 90 goroutines of the whole process"},
		},
	}
	var b bytes.Buffer
	if err := errors.Join(Replay(&b, r, nil), ReplayJSON(&b, r, nil)); err != nil {
		t.Fatal(err)
	}
	compare(t, "replay.txt", b.String())
}
