package main

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain checks that no goroutines leak except the planted ones.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/otel-goroutine/otel-goroutine/examples/instrumented.askWarehouse"),
		goleak.IgnoreAnyFunction("github.com/otel-goroutine/otel-goroutine/examples/instrumented.awaitReceipt"),
		goleak.IgnoreAnyFunction("github.com/otel-goroutine/otel-goroutine/examples/instrumented.followDelivery"),
	)
}

func TestExportsLastInterval(t *testing.T) {
	var last atomic.Pointer[[]byte]
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		// After instrument has stopped, only totals of counters are exported.
		if bytes.Contains(body, []byte("goroutine.stack.count")) {
			last.Store(&body)
		}
	}))
	defer backend.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", backend.URL)
	t.Setenv("OTEL_METRIC_EXPORT_INTERVAL", "3600000") // an hour, so that only the last export happens
	t.Setenv("OTEL_GO_GOROUTINE_INTERVAL", "50ms")

	if err := runFor(time.Second, "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	body := last.Load()
	if body == nil || !bytes.Contains(*body, []byte("goroutine.stack.count")) {
		t.Error("the last interval was not exported")
	}
}

func TestPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	backend := httptest.NewServer(http.NotFoundHandler())
	defer backend.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", backend.URL)
	if err := run(t.Context(), taken.Addr().String()); err == nil {
		t.Error("no error")
	}
}

func TestInvalidEnvironment(t *testing.T) {
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "no-value")
	if err := run(t.Context(), "127.0.0.1:0"); err == nil {
		t.Error("no error")
	}
}
