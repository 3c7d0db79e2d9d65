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

// leaky is a process that does not exist, in which goroutines gather, a few at each look. It
// answers without a network, so that its time is that of a bubble of testing/synctest.
type leaky struct {
	t       *testing.T
	program *tracetest.Program
	waiting int
	gathers int // a look
	asked   []string
	// long answers traces that are longer than a millisecond; nil is with a sound one.
	long func(*http.Request) (*http.Response, error)
}

func newLeaky(t *testing.T) *leaky {
	t.Helper()
	return &leaky{t: t, waiting: 50, gathers: 3, program: tracetest.NewProgram(tracetest.Stack{
		{Function: "runtime.gopark", File: "/go/src/runtime/proc.go", Line: 1},
		{Function: "runtime.chansend", File: "/go/src/runtime/chan.go", Line: 2},
		{Function: "runtime.chansend1", File: "/go/src/runtime/chan.go", Line: 3},
		{Function: "main.answer", File: "/src/main.go", Line: 4},
	})}
}

func (l *leaky) trace() []byte {
	goroutines := make([]tracetest.Goroutine, l.waiting)
	for i := range goroutines {
		goroutines[i].ID = uint64(i + 1)
	}
	return l.program.AppendTrace(nil, 2, goroutines)
}

// RoundTrip answers in the time that a trace takes.
func (l *leaky) RoundTrip(request *http.Request) (*http.Response, error) {
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

// watched is a target in a bubble, and what it logs.
type watched struct {
	*leaky
	target *target
	logs   *observer.ObservedLogs
}

func watch(t *testing.T, l *leaky, shared *pool, change ...func(*Config)) *watched {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Targets = []TargetConfig{targetAt("leaky:6060", func(c *TargetConfig) { c.ServiceName = "shop" })}
	for _, c := range change {
		c(cfg)
	}
	core, logs := observer.New(zap.InfoLevel)
	settings := receivertest.NewNopSettings(metadata.Type)
	settings.Logger = zap.New(core)
	target, err := newTarget(newKit(cfg, shared, settings, func(context.Context) { t.Error("a panic") }), cfg.Targets[0])
	require.NoError(t, err)
	target.captor.client = &http.Client{Transport: l}
	return &watched{leaky: l, target: target, logs: logs}
}

// look passes a minute, in which more goroutines are forgotten, and scrapes.
func (w *watched) look() scraped {
	w.t.Helper()
	time.Sleep(time.Minute - time.Duration(time.Now().UnixNano())%time.Minute)
	w.waiting += w.gathers
	s := scrapeOf(w.t, w.target)
	require.True(w.t, s.up())
	require.EqualValues(w.t, w.waiting, s.sum(telemetry.StackCount))
	return s
}

// traces looks so often, and returns the traces of more than a millisecond by the look.
func (w *watched) traces(looks int) map[int]string {
	all := make(map[int]string)
	for i := range looks {
		w.asked = nil
		w.look()
		for _, q := range w.asked {
			if q != "seconds=0.001" {
				all[i] = q
			}
		}
	}
	return all
}

// untilTraced looks until the first trace that is longer.
func (w *watched) untilTraced() {
	w.t.Helper()
	for range 60 {
		if len(w.traces(1)) > 0 {
			return
		}
	}
	require.Fail(w.t, "no trace within an hour")
}
