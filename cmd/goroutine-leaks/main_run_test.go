package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/tracetest"
)

// leakyProcess serves traces of a simulated process with workers that stay and a leak.
type leakyProcess struct {
	program   *tracetest.Program
	began     time.Time
	perSecond float64 // leaked goroutines
}

func newLeakyProcess(perSecond float64) *leakyProcess {
	return &leakyProcess{
		program: tracetest.NewProgram(
			tracetest.Stack{{Function: "runtime.chansend", File: "/go/src/runtime/chan.go", Line: 1}, {Function: "main.ask", File: "/src/order.go", Line: 88}},
			tracetest.Stack{{Function: "main.work", File: "/src/work.go", Line: 12}},
		),
		began: time.Now(), perSecond: perSecond,
	}
}

func (p *leakyProcess) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/trace") || r.URL.Query().Get("seconds") != "0.001" {
		http.NotFound(w, r) // it has no profiles, and no traces for origins
		return
	}
	var all []tracetest.Goroutine
	for i := range 4 {
		all = append(all, tracetest.Goroutine{ID: uint64(i + 10), Stack: 1})
	}
	for i := range int(p.perSecond * time.Since(p.began).Seconds()) {
		all = append(all, tracetest.Goroutine{ID: uint64(i + 100), Stack: 0})
	}
	_, _ = w.Write(p.program.AppendTrace(nil, 2, all)) // the client may have disconnected
}

func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// command runs the command and returns its status and outputs.
func command(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	status = run(t.Context(), args, streams{stdout: &out, stderr: &problems, width: 100})
	return status, out.String(), problems.String()
}

// TestLookAndCheck checks that the command finds the leak of a simulated process, in all output
// formats, and nothing in a healthy one.
func TestLookAndCheck(t *testing.T) {
	leaky, healthy := serve(t, newLeakyProcess(20)), serve(t, newLeakyProcess(0))
	t.Parallel()
	folder := t.TempDir()
	page, report, ignored := filepath.Join(folder, "page.html"), filepath.Join(folder, "junit.xml"), filepath.Join(folder, "ignored.xml")
	tests := []struct {
		name           string
		args           []string
		status         int
		stdout, stderr []string
	}{
		{"text", []string{leaky, "--for", "5s", "--html", page}, 0, []string{"main.ask", "PROBABLE: ", "at order.go:88, none has left", "certainty"}, nil},
		{"JSON", []string{leaky, healthy, "--for", "5s", "--json", "--ignore", "entry=main.absent"}, 0, []string{`"severity": "probable"`, `"rule": "entry=main.absent"`}, []string{"leak probable"}},
		{"check", []string{"check", leaky, "--for", "5s", "--junit", report}, 1, []string{"check: 1 leak"}, nil},
		{
			"check ignored", []string{
				"check", leaky, "--for", "5s", "--junit", ignored, "--ignore", "function=main.ask,reason=ticket-12",
				"--ignore", "entry=main.work,until=2020-12-31,reason=old", "--ignore", "entry=main.absent",
			}, 0, []string{
				" goroutines at order.go:88 (ticket-12)\n", "--ignore entry=main.work ended on 2020-12-31, so it ignores nothing (old)\n",
				"--ignore entry=main.absent matched nothing\n", "No other line has accumulated", "check: clean",
			}, nil,
		},
		{"check healthy", []string{"check", healthy, "--for", "5s", "--json"}, 0, []string{`"findings": []`}, []string{"check: clean"}},
	}
	// They mostly wait, so all run concurrently.
	type result struct {
		status         int
		stdout, stderr string
	}
	results := make([]result, len(tests))
	var running sync.WaitGroup
	for i, test := range tests {
		running.Go(func() {
			r := &results[i]
			r.status, r.stdout, r.stderr = command(t, test.args...)
		})
	}
	running.Wait()
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := results[i]
			if r.status != test.status {
				t.Errorf("status %d, want %d", r.status, test.status)
			}
			for _, want := range test.stdout {
				if !strings.Contains(r.stdout, want) {
					t.Errorf("stdout lacks %q", want)
				}
			}
			for _, want := range test.stderr {
				if !strings.Contains(r.stderr, want) {
					t.Errorf("stderr lacks %q", want)
				}
			}
			if t.Failed() {
				t.Logf("%s\n%s", r.stdout, r.stderr)
			}
			switch test.name {
			case "JSON":
				if !json.Valid([]byte(r.stdout)) {
					t.Error("stdout is not JSON")
				}
			case "text":
				if html, err := os.ReadFile(page); err != nil || !bytes.Contains(html, []byte("main.ask")) {
					t.Errorf("%v, %d bytes of HTML", err, len(html))
				}
			case "check ignored":
				if text, err := os.ReadFile(ignored); err != nil || !bytes.Contains(text, []byte("(ticket-12)")) {
					t.Errorf("%v: %s", err, text)
				}
			case "check":
				if text, err := os.ReadFile(report); err != nil || xml.Unmarshal(text, new(struct{})) != nil || !bytes.Contains(text, []byte(`failures="1"`)) {
					t.Errorf("%v: %s", err, text)
				}
			}
		})
	}
}

func TestUsage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args   []string
		status int
		want   string
	}{
		{nil, 0, "Commands:"},
		{[]string{"--help"}, 0, "Commands:"},
		{[]string{"check", "--help"}, 0, "--fail-on"},
		{[]string{"--version"}, 0, ", built with go1."},
		{[]string{"chek", "127.0.0.1:1"}, 2, `did you mean "check"?`},
		{[]string{"chek", "127.0.0.1:1", "--junit", "a.xml"}, 2, `did you mean "check"?`},
		{[]string{":1", "--for", "15d"}, 2, "--for must be between 5s and 14d"},
		{[]string{":1", "--for", "12"}, 2, `--for: invalid duration "12", want for example 7d, 12h or 90s`},
		{[]string{"replay", "--prometheus", "h:1", "--since", "366d"}, 2, "--since at most 365d"},
		{[]string{"look"}, 2, `expected "<url> ..."`},
		{[]string{":1", "--nonsense"}, 2, "--nonsense"},
		{[]string{"localhost"}, 2, "missing port"},
		{[]string{"http://user:secret@h:x"}, 2, "http://h:x: invalid address"},
		{[]string{":1", "--for", "1s"}, 2, "--for must be"},
		{[]string{":1", "--ignore", "line=5"}, 2, `invalid --ignore "line=5"`},
		{[]string{":1", "--ignore", "entry="}, 2, "invalid --ignore"},
		{[]string{":1", "--ignore", "until=2026-12-31"}, 2, "invalid --ignore"},
		{[]string{":1", "--ignore", "entry=a,until=tomorrow"}, 2, "invalid --ignore"},
		{[]string{"check", ":1", "--fail-on", "sure"}, 2, "suspected"},
		{[]string{":1", "--cert", file}, 2, "--cert and --key"},
		{[]string{":1", "--json", "--markdown"}, 2, "can't be used together"},
		{[]string{"diff", file, file}, 2, "not a profile"},
		{[]string{"diff", "absent", "absent"}, 2, "absent"},
		{[]string{"diff", "http://", file}, 2, "missing host"},
		{[]string{"replay"}, 2, "--prometheus"},
		{[]string{"replay", "--prometheus", "ftp://h"}, 2, "--prometheus must be"},
		{[]string{"replay", "--prometheus", "h:1", "--since", "0s"}, 2, "--since"},
		{[]string{"serve", ":1", "--listen", "127.0.0.1:x"}, 2, "unknown port"},
	} {
		status, stdout, stderr := command(t, test.args...)
		if status != test.status || !strings.Contains(stdout+stderr, test.want) {
			t.Errorf("%q: status %d, want %d and %q:\n%s%s", test.args, status, test.status, test.want, stdout, stderr)
		}
		if strings.Contains(stdout+stderr, "secret") {
			t.Errorf("%q: the output contains the password", test.args)
		}
	}
}

// TestUnreachable checks that an unreachable target means status 2 and an error in JUnit XML.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	file := filepath.Join(t.TempDir(), "junit.xml")
	status, stdout, stderr := command(t, "check", server.URL, "--for", "5s", "--junit", file)
	if status != 2 || strings.Count(stdout+stderr, "connection refused") != 1 || !strings.Contains(stderr, "connection refused") {
		t.Errorf("status %d:\n%s%s", status, stdout, stderr)
	}
	if text, err := os.ReadFile(file); err != nil || !bytes.Contains(text, []byte(`errors="1"`)) {
		t.Errorf("%v: %s", err, text)
	}
}

// TestFilesAreCreatedFirst checks that a file that cannot be created is an error before the watch, and
// that without anything to write no new file is left, and an existing one is kept.
func TestFilesAreCreatedFirst(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent", "file")
	server := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request before the file was created") }))
	for _, args := range [][]string{
		{"check", server, "--junit", absent}, {server, "--html", absent}, {"replay", "--prometheus", server, "--html", absent},
	} {
		if status, stdout, stderr := command(t, args...); status != 2 || !strings.Contains(stderr, absent+": no such file or directory") {
			t.Errorf("%q: status %d:\n%s%s", args, status, stdout, stderr)
		}
	}
	page := filepath.Join(t.TempDir(), "page.html")
	if status, _, stderr := command(t, "replay", "--prometheus", freeAddress(t), "--html", page); status != 2 || !strings.Contains(stderr, "refused") {
		t.Errorf("status %d: %s", status, stderr)
	}
	if _, err := os.Stat(page); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the page was left: %v", err)
	}
	const earlier = "an earlier page"
	if err := os.WriteFile(page, []byte(earlier), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{freeAddress(t), "--for", "5s", "--html", page}, {"replay", "--prometheus", freeAddress(t), "--html", page}} {
		if status, _, stderr := command(t, args...); status != 2 || !strings.Contains(stderr, "refused") {
			t.Errorf("%q: status %d: %s", args, status, stderr)
		}
		if content, err := os.ReadFile(page); string(content) != earlier {
			t.Errorf("%q: the earlier page was lost: %v", args, err)
		}
	}
}

func TestDiff(t *testing.T) {
	trace := func(n int) string {
		p := newLeakyProcess(1)
		p.began = time.Now().Add(-time.Duration(n) * time.Second)
		recorder := httptest.NewRecorder()
		p.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/debug/pprof/trace?seconds=0.001", http.NoBody))
		file := filepath.Join(t.TempDir(), "trace")
		if err := os.WriteFile(file, recorder.Body.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	before, after := trace(3), trace(10)
	status, stdout, stderr := command(t, "diff", before, after)
	if status != 0 || !strings.Contains(stdout, "7 goroutines") && !strings.Contains(stdout, "+7") {
		t.Errorf("status %d:\n%s%s", status, stdout, stderr)
	}
	status, stdout, _ = command(t, "diff", before, serve(t, newLeakyProcess(0)), "--json")
	if status != 0 || !strings.Contains(stdout, `"before": 3`) || !json.Valid([]byte(stdout)) {
		t.Errorf("status %d:\n%s", status, stdout)
	}
}

// TestServe checks that the page has the findings.
func TestServe(t *testing.T) {
	t.Parallel()
	leaky := serve(t, newLeakyProcess(20))
	listen := freeAddress(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int)
	var out, problems bytes.Buffer
	go func() {
		ended <- run(ctx, []string{"serve", leaky, "--for", "5s", "--listen", listen, "--ignore", "entry=main.absent"}, streams{stdout: &out, stderr: &problems})
	}()
	found := false
	for deadline := time.Now().Add(20 * time.Second); !found && time.Now().Before(deadline); {
		found = strings.Contains(get("http://"+listen+"/api/findings"), `"severity":"probable"`)
	}
	cancel()
	if status := <-ended; status != 0 || !found || !strings.Contains(out.String(), "--ignore entry=main.absent matched nothing") {
		t.Errorf("status %d, found %v:\n%s%s", status, found, out.String(), problems.String())
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	return strings.TrimPrefix(server.URL, "http://")
}

// get returns a page, empty if it is not served yet.
func get(url string) string {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	if err != nil {
		return ""
	}
	var b bytes.Buffer
	_, err = b.ReadFrom(response.Body)
	if errors.Join(err, response.Body.Close()) != nil {
		return ""
	}
	return b.String()
}
