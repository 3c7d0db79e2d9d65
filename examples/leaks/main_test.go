package main

import (
	"context"
	"net"
	"runtime"
	"testing"
	"time"
)

// What leaks here ends with the test's process.
func TestEndsByItselfAndStaysBounded(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	o := options{listen: "127.0.0.1:0", every: 10 * time.Millisecond, maxGoroutines: 500}
	if err := run(ctx, o); err != nil {
		t.Fatal(err)
	}
	// One round more was allowed, and started less than 200 goroutines.
	if n := runtime.NumGoroutine(); n < 300 || n > o.maxGoroutines+200 {
		t.Errorf("%d goroutines are left", n)
	}
}

func TestAPortInUseIsTold(t *testing.T) {
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
