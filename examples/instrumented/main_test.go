package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// What leaks is the point of this service.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/otel-goroutine/otel-goroutine/examples/instrumented.askWarehouse"),
		goleak.IgnoreAnyFunction("github.com/otel-goroutine/otel-goroutine/examples/instrumented.awaitReceipt"),
		goleak.IgnoreAnyFunction("github.com/otel-goroutine/otel-goroutine/examples/instrumented.followDelivery"),
	)
}

func TestServesPushesAndEnds(t *testing.T) {
	var pushed atomic.Int32
	first := make(chan struct{})
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if pushed.Add(1) == 1 {
			close(first)
		}
	}))
	defer backend.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", backend.URL)
	t.Setenv("OTEL_METRIC_EXPORT_INTERVAL", "50")

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var running sync.WaitGroup
	running.Go(func() {
		if err := run(ctx, "127.0.0.1:0"); err != nil {
			t.Error(err)
		}
	})
	select {
	case <-first:
	case <-time.After(20 * time.Second):
		t.Error("nothing was pushed within 20 s")
	}
	before := pushed.Load()
	cancel()
	running.Wait()
	if pushed.Load() == before {
		t.Error("the last interval was not pushed")
	}
}

func TestAPortInUseIsTold(t *testing.T) {
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
