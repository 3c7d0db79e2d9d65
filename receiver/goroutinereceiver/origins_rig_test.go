package goroutinereceiver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
	"github.com/otel-goroutine/otel-goroutine/internal/tracetest"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// fakeProcess simulates a process in which a few goroutines accumulate per scrape. It responds
// without a network, so that it works in a bubble of testing/synctest.
type fakeProcess struct {
	t         *testing.T
	program   *tracetest.Program
	waiting   int
	perScrape int // goroutines that accumulate
	asked     []string
	// long handles requests for traces longer than a millisecond. If nil, they succeed.
	long func(*http.Request) (*http.Response, error)
}

func newFakeProcess(t *testing.T) *fakeProcess {
	t.Helper()
	return &fakeProcess{t: t, waiting: 50, perScrape: 3, program: tracetest.NewProgram(tracetest.Stack{
		{Function: "runtime.gopark", File: "/go/src/runtime/proc.go", Line: 1},
		{Function: "runtime.chansend", File: "/go/src/runtime/chan.go", Line: 2},
		{Function: "runtime.chansend1", File: "/go/src/runtime/chan.go", Line: 3},
		{Function: "main.answer", File: "/src/main.go", Line: 4},
	})}
}

func (l *fakeProcess) trace() []byte {
	goroutines := make([]tracetest.Goroutine, l.waiting)
	for i := range goroutines {
		goroutines[i].ID = uint64(i + 1)
	}
	return l.program.AppendTrace(nil, 2, goroutines)
}

// RoundTrip responds after the duration of the trace.
func (l *fakeProcess) RoundTrip(request *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(request.URL.Path, "/trace") {
		return respond(http.StatusNotFound, strings.NewReader("404 page not found")), nil
	}
	l.asked = append(l.asked, request.URL.RawQuery)
	if request.URL.RawQuery != "seconds=0.001" && l.long != nil {
		return l.long(request)
	}
	var d time.Duration
	_, err := fmt.Sscanf(request.URL.RawQuery, "seconds=%s", new(string))
	require.NoError(l.t, err)
	d, err = time.ParseDuration(strings.TrimPrefix(request.URL.RawQuery, "seconds=") + "s")
	require.NoError(l.t, err)
	time.Sleep(d)
	return respond(http.StatusOK, bytes.NewReader(l.trace())), nil
}

func respond(status int, body io.Reader) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(body), ContentLength: -1}
}

// fakeTarget is the target of a fakeProcess, and its log.
type fakeTarget struct {
	*fakeProcess
	target *target
	logs   *observer.ObservedLogs
}

func newFakeTarget(t *testing.T, l *fakeProcess, shared *pool, change ...func(*Config)) *fakeTarget {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Targets = []TargetConfig{targetAt("leaky:6060", func(c *TargetConfig) { c.ServiceName = "shop" })}
	for _, c := range change {
		c(cfg)
	}
	core, logs := observer.New(zap.InfoLevel)
	settings := receivertest.NewNopSettings(metadata.Type)
	settings.Logger = zap.New(core)
	target, err := newTarget(newTargetDeps(cfg, shared, settings, func(context.Context) { t.Error("a panic") }), cfg.Targets[0])
	require.NoError(t, err)
	target.capturer.client = &http.Client{Transport: l}
	return &fakeTarget{fakeProcess: l, target: target, logs: logs}
}

// scrapeNext waits for the next minute, in which more goroutines accumulate, and scrapes.
func (w *fakeTarget) scrapeNext() scraped {
	w.t.Helper()
	time.Sleep(time.Minute - time.Duration(time.Now().UnixNano())%time.Minute)
	w.waiting += w.perScrape
	s := scrapeOf(w.t, w.target)
	require.True(w.t, s.up())
	require.EqualValues(w.t, w.waiting, s.sum(telemetry.StackCount))
	return s
}

// traces scrapes n times and returns the traces of more than a millisecond by scrape.
func (w *fakeTarget) traces(n int) map[int]string {
	all := make(map[int]string)
	for i := range n {
		w.asked = nil
		w.scrapeNext()
		for _, q := range w.asked {
			if q != "seconds=0.001" {
				all[i] = q
			}
		}
	}
	return all
}

// untilTraced scrapes until the first trace of more than a millisecond.
func (w *fakeTarget) untilTraced() {
	w.t.Helper()
	for range 60 {
		if len(w.traces(1)) > 0 {
			return
		}
	}
	require.Fail(w.t, "no trace within an hour")
}
