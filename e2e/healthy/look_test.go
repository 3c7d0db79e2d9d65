package healthy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func buildCommand(t *testing.T) string {
	t.Helper()
	command := filepath.Join(t.TempDir(), "goroutine-leaks")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", command, ".")
	build.Dir = filepath.Join("..", "..", "cmd", "goroutine-leaks")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	return command
}

// looked is what the command writes as JSON, as far as it matters here, and its exit status.
type looked struct {
	Targets []struct {
		Goroutines, Groups, Restarts int
		Source, Lacks                string
	}
	Findings []struct{ Severity, Evidence, Certainty string }
	Groups   []struct {
		State, Function, File, Entry    string
		Line, Count, Grown, Aged, Exits int
	}

	status int
	said   string
}

// look has the command look at a process, and returns what it found.
func look(t *testing.T, command, pprof string, args ...string) (l looked) {
	t.Helper()
	var out, problems bytes.Buffer
	run := exec.CommandContext(t.Context(), command, append(args, pprof, "--json")...)
	run.Stdout, run.Stderr = &out, &problems
	if err := run.Run(); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		require.True(t, ok, "%v", err)
		l.status = exit.ExitCode()
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &l), "%s", &problems)
	l.said = problems.String()
	return l
}

// withoutTraces serves what a process does, but for its traces.
func withoutTraces(t *testing.T, pprof string) string {
	t.Helper()
	whole := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: pprof}) }, // and its Host, which Caddy looks at
		Transport: &http.Transport{DisableKeepAlives: true},
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/trace") {
			http.NotFound(w, r)
			return
		}
		whole.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	return proxy.Listener.Addr().String()
}

// verdict tells what was found in few words.
func (l looked) verdict() string {
	verdict := "nothing grows"
	switch {
	case len(l.Findings) > 0:
		verdict = fmt.Sprintf("%d %s", len(l.Findings), l.Findings[0].Severity)
	case l.status == 3:
		verdict = "not enough evidence"
	}
	return fmt.Sprintf("%s (%d)", verdict, l.status)
}

func (l looked) goroutines() (n int) {
	for _, t := range l.Targets {
		n += t.Goroutines
	}
	return n
}

// gathering tells what has grown, and why that is taken for a leak, for those who look into it.
func (l looked) gathering() string {
	var text strings.Builder
	for _, t := range l.Targets {
		fmt.Fprintf(&text, "by %s, %d restarts %s\n", t.Source, t.Restarts, t.Lacks)
	}
	for _, g := range l.Groups {
		if g.Grown >= 5 {
			fmt.Fprintf(&text, "  %+d to %d, %d old, %d left: %s %s:%d of %s\n", g.Grown, g.Count, g.Aged, g.Exits, g.State, g.Function, g.Line, g.Entry)
		}
	}
	for _, f := range l.Findings {
		fmt.Fprintf(&text, "%s: %s\n  %s\n", f.Severity, f.Evidence, f.Certainty)
	}
	return text.String()
}
