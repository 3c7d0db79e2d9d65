package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// TestMaxGoroutines checks that run returns after the duration, and that the number of goroutines is
// limited. The leaked ones end with the test process.
func TestMaxGoroutines(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	o := options{listen: "127.0.0.1:0", every: 10 * time.Millisecond, maxGoroutines: 500}
	if err := run(ctx, o); err != nil {
		t.Fatal(err)
	}
	// The last round started fewer than 200 goroutines above the limit.
	if n := runtime.NumGoroutine(); n < 300 || n > o.maxGoroutines+200 {
		t.Errorf("%d goroutines are left", n)
	}
}

func TestExportsMetrics(t *testing.T) {
	var exported atomic.Bool
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if bytes.Contains(body, []byte("goroutine.stack.count")) {
			exported.Store(true)
		}
	}))
	defer backend.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", backend.URL)
	t.Setenv("OTEL_METRIC_EXPORT_INTERVAL", "3600000") // an hour, so that only the last export happens
	t.Setenv("OTEL_GO_GOROUTINE_INTERVAL", "50ms")

	// There is always one goroutine, so no function is called.
	if err := runFor(parse([]string{"-listen", "127.0.0.1:0", "-for", "1s", "-max-goroutines", "1"})); err != nil {
		t.Fatal(err)
	}
	if !exported.Load() {
		t.Error("the last interval was not exported")
	}
}

func TestPortInUse(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	if err := run(t.Context(), options{listen: taken.Addr().String()}); err == nil {
		t.Error("no error")
	}
}
