package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/tracetest"
)

// largeProcess serves traces of a process with 100,000 goroutines at 200 lines.
func largeProcess() http.HandlerFunc {
	var stacks []tracetest.Stack
	for i := range 200 {
		stacks = append(stacks, tracetest.Stack{
			{Function: "sync.(*WaitGroup).Wait", File: "/go/src/sync/waitgroup.go", Line: 1},
			{Function: fmt.Sprintf("main.wait%d", i), File: "/src/main.go", Line: i + 1},
			{Function: fmt.Sprintf("main.serve%d", i), File: "/src/main.go", Line: 1000 + i},
		})
	}
	program := tracetest.NewProgram(stacks...)
	var all []tracetest.Goroutine
	for i := range 100_000 {
		all = append(all, tracetest.Goroutine{ID: uint64(i + 1), Stack: i % len(stacks)})
	}
	trace := program.AppendTrace(nil, 8, all)
	return func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/trace") {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(trace) // the client may have disconnected
	}
}

// BenchmarkHundredThousand watches 100,000 goroutines for the default time in a separate process.
// It measures the time to the first line, CPU time and memory.
func BenchmarkHundredThousand(b *testing.B) {
	server := httptest.NewServer(largeProcess())
	defer server.Close()
	executable, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		command := exec.CommandContext(b.Context(), executable, server.URL)
		command.Env = append(os.Environ(), asCommand+"=1")
		out, err := command.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		if err := command.Start(); err != nil {
			b.Fatal(err)
		}
		lines := bufio.NewReader(out)
		first, err := lines.ReadString('\n')
		if err != nil || !strings.Contains(first, "100000 goroutines in 200 groups") {
			b.Fatalf("%v: %q", err, first)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s-to-first-line")
		if _, err := io.Copy(io.Discard, lines); err != nil {
			b.Fatal(err)
		}
		if err := command.Wait(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric((command.ProcessState.UserTime() + command.ProcessState.SystemTime()).Seconds(), "s-CPU")
		if usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage); ok {
			b.ReportMetric(float64(usage.Maxrss)/1024, "MiB")
		}
	}
}
