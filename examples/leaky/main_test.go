package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain checks that no goroutines leak except the planted ones.
func TestMain(m *testing.M) {
	const here = "github.com/otel-goroutine/otel-goroutine/examples/leaky."
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction(here+"waitForReply"),
		goleak.IgnoreAnyFunction(here+"askSlowBackend"),
		goleak.IgnoreAnyFunction(here+"pollForever"),
		goleak.IgnoreAnyFunction(here+"writeAudit"),
	)
}

// start runs the service and returns its address and a channel with the result of run.
func start(ctx context.Context, t *testing.T, args ...string) (address string, result <-chan error) {
	t.Helper()
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, args, w, io.Discard)
		_ = w.Close()
		done <- err
	}()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("no first line: %v", <-done)
	}
	address = regexp.MustCompile(`http://[^/]+/debug/pprof/`).FindString(line)
	if address == "" {
		t.Fatalf("the first line names no address: %q", line)
	}
	return address, done
}

func TestServesProfiles(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	address, result := start(ctx, t, "-listen", "127.0.0.1:0")
	for _, path := range []string{"goroutine", "trace?seconds=0.001", ""} {
		body := get(t, address+path)
		if len(body) == 0 {
			t.Errorf("%q: empty", path)
		}
	}
	cancel()
	if err := <-result; err != nil {
		t.Errorf("ended with %v", err)
	}
}

func get(t *testing.T, url string) []byte {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Errorf("%s: %s", url, resp.Status)
	}
	return body
}

func TestExitsAfterDuration(t *testing.T) {
	_, result := start(t.Context(), t, "-listen", "127.0.0.1:0", "-for", "20ms")
	select {
	case err := <-result:
		if err != nil {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("still running after 10 s")
	}
}

func TestPortInUse(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	address := listener.Addr().String()
	err = run(t.Context(), []string{"-listen", address}, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), address+" is in use") || !strings.Contains(err.Error(), "-listen") {
		t.Errorf("got %v", err)
	}
}

func TestUsageErrors(t *testing.T) {
	for _, tc := range []struct {
		args   []string
		err    error
		stderr string
	}{
		{[]string{"-for", "soon"}, errUsage, "soon"},
		{[]string{"here"}, errUsage, `"here"`},
		{[]string{"-help"}, flag.ErrHelp, "-listen"},
	} {
		var stderr bytes.Buffer
		err := run(t.Context(), tc.args, io.Discard, &stderr)
		if !errors.Is(err, tc.err) || !strings.Contains(stderr.String(), tc.stderr) {
			t.Errorf("%q: %v, stderr %q", tc.args, err, &stderr)
		}
	}
}
