package main

import (
	"fmt"
	"net"
	"testing"
)

func TestPortInUse(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	taken := listener.Addr().(*net.TCPAddr).Port
	ports := []port{{"DEMO_PPROF_PORT", freePort(t)}, {"DEMO_METRICS_PORT", taken}}
	want := fmt.Sprintf("port %d (DEMO_METRICS_PORT) is in use; set DEMO_METRICS_PORT to another", taken)
	if err := checkFree(ports); err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
	_ = listener.Close()
	if err := checkFree(ports); err != nil {
		t.Errorf("both are free: %v", err)
	}
}

// freePort returns a port that was free a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}
