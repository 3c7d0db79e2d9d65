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

// result is the exit status of the command and the part of its JSON output that the test uses.
type result struct {
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
	stderr string
}

// runCommand runs the command on a process, and returns the result.
func runCommand(t *testing.T, command, pprof string, args ...string) (r result) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	run := exec.CommandContext(t.Context(), command, append(args, pprof, "--json")...)
	run.Stdout, run.Stderr = &stdout, &stderr
	if err := run.Run(); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		require.True(t, ok, "%v", err)
		r.status = exit.ExitCode()
	}
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &r), "%s", &stderr)
	r.stderr = stderr.String()
	return r
}

// withoutTraces starts a proxy of a process that does not serve traces, and returns its address.
func withoutTraces(t *testing.T, pprof string) string {
	t.Helper()
	process := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: pprof}) }, // also sets Host, which Caddy checks
		Transport: &http.Transport{DisableKeepAlives: true},
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/trace") {
			http.NotFound(w, r)
			return
		}
		process.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	return proxy.Listener.Addr().String()
}

// verdict summarizes the result.
func (r result) verdict() string {
	verdict := "nothing grows"
	switch {
	case len(r.Findings) > 0:
		verdict = fmt.Sprintf("%d %s", len(r.Findings), r.Findings[0].Severity)
	case r.status == 3:
		verdict = "not enough evidence"
	}
	return fmt.Sprintf("%s (%d)", verdict, r.status)
}

func (r result) goroutines() (n int) {
	for _, t := range r.Targets {
		n += t.Goroutines
	}
	return n
}

// details lists the groups that have grown and the evidence of the findings.
func (r result) details() string {
	var text strings.Builder
	for _, t := range r.Targets {
		fmt.Fprintf(&text, "by %s, %d restarts %s\n", t.Source, t.Restarts, t.Lacks)
	}
	for _, g := range r.Groups {
		if g.Grown >= 5 {
			fmt.Fprintf(&text, "  %+d to %d, %d old, %d left: %s %s:%d of %s\n", g.Grown, g.Count, g.Aged, g.Exits, g.State, g.Function, g.Line, g.Entry)
		}
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&text, "%s: %s\n  %s\n", f.Severity, f.Evidence, f.Certainty)
	}
	return text.String()
}
