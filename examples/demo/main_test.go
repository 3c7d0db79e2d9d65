package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// The environment variables with which the tests start this binary again, as one
// of the programs that the demonstration starts.
const (
	// roleVariable names what the binary is to be.
	roleVariable = "DEMO_TEST_ROLE"
	// pageVariable is the metrics page that the collector serves.
	pageVariable = "DEMO_TEST_PAGE"
	// reportVariable is an address to which some roles connect, so that the
	// test sees when they are there and when they are gone.
	reportVariable = "DEMO_TEST_REPORT"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(act(role))
	}
	goleak.VerifyTestMain(m)
}

// act plays a role and returns the exit status.
func act(role string) int {
	switch role {
	case "service and collector":
		// The demonstration gives both the same environment, but other
		// arguments.
		if slices.Contains(os.Args, "--config") {
			return actCollector()
		}
		return actService()
	case "dying collector":
		if slices.Contains(os.Args, "--config") {
			fmt.Fprintln(os.Stderr, "Error: cannot find the configuration")
			return 3
		}
		return actService()
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		return actReporter()
	case "reporter":
		return actReporter()
	case "parent":
		return actParent()
	}
	return 99
}

func actService() int {
	http.HandleFunc("/debug/pprof/cmdline", func(http.ResponseWriter, *http.Request) {})
	return serveUntilTold(os.Args[slices.Index(os.Args, "-listen")+1])
}

func actCollector() int {
	http.HandleFunc("/", func(http.ResponseWriter, *http.Request) {}) // the health check
	watched := make(chan struct{})
	// It answers when the demonstration has read the page once and come back.
	http.HandleFunc("/watched", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-watched:
		case <-r.Context().Done():
		}
	})
	var pages atomic.Int32
	http.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		if pages.Add(1) == 2 {
			close(watched)
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		fmt.Fprint(w, os.Getenv(pageVariable))
	})
	return serveUntilTold("127.0.0.1:"+os.Getenv(healthVariable), "127.0.0.1:"+os.Getenv(metricsVariable))
}

// serveUntilTold serves on each address until SIGTERM.
func serveUntilTold(addresses ...string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	failed := make(chan error, len(addresses))
	for _, a := range addresses {
		go func() { failed <- http.ListenAndServe(a, nil) }()
	}
	select {
	case <-ctx.Done():
		return 0
	case err := <-failed:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
}
