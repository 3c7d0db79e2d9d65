package goroutinereceiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/scout"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
	"github.com/otel-goroutine/otel-goroutine/internal/tracetest"
)

// TestTraceIsTheCensus checks that a trace for origins replaces the trace of the scrape, and
// becomes longer each time until it contains a leaked birth.
func TestTraceIsTheCensus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeTarget(t, newFakeProcess(t), newPool())
		w.untilTraced()
		assert.Equal(t, []string{"seconds=1.2"}, w.asked)
		assert.Equal(t, map[int]string{0: "seconds=3.6", 2: "seconds=6", 6: "seconds=6", 14: "seconds=6"}, w.traces(20))
		s := w.scrapeNext()
		points := s.points(telemetry.OriginTraced, telemetry.AttrFunction, "main.answer",
			telemetry.AttrOriginCaught, "not_caught", telemetry.AttrOriginClass, "answer_not_taken")
		require.Len(t, points, 1)
		assert.Empty(t, s.points(telemetry.OriginCreations), "not caught yet")
		assert.Positive(t, s.sum(telemetry.StackAgedCount))
		assert.Zero(t, w.logs.FilterLevelExact(zap.WarnLevel).Len())
	})
}

// TestAnotherProcessResponds replaces the process before the trace for origins: its origins must
// not be reported for the groups of the old process.
func TestAnotherProcessResponds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeTarget(t, newFakeProcess(t), newPool())
		other := newFakeProcess(t)
		other.program = tracetest.NewProgram(tracetest.Stack{
			{Function: "runtime.gopark", File: "/go/src/runtime/proc.go", Line: 1},
			{Function: "time.Sleep", File: "/go/src/runtime/time.go", Line: 2},
			{Function: "main.sleep", File: "/src/main.go", Line: 9},
		})
		w.long = func(*http.Request) (*http.Response, error) {
			w.program, other.waiting = other.program, w.waiting
			return respond(http.StatusOK, bytes.NewReader(other.trace())), nil
		}
		w.untilTraced()
		assert.Equal(t, 1, w.logs.FilterMessageSnippet("New process").Len())
		for range 5 {
			assert.Empty(t, w.scrapeNext().points(telemetry.OriginTraced))
		}
	})
}

// TestServiceKey checks that replicas of one build share their key with no other target.
func TestServiceKey(t *testing.T) {
	service := func(build string, change func(*TargetConfig)) string {
		l := newFakeProcess(t)
		w := newFakeTarget(t, l, newPool(), func(c *Config) { change(&c.Targets[0]) })
		w.target.build.id = build
		return w.target.serviceKey()
	}
	at := func(endpoint, name string, attributes map[string]string) func(*TargetConfig) {
		return func(c *TargetConfig) {
			c.ClientConfig.Endpoint, c.ServiceName, c.Attributes = endpoint, name, attributes
		}
	}
	cart := service("b1", at("a:1", "cart", nil))
	assert.Equal(t, cart, service("b1", at("b:1", "cart", map[string]string{"k8s.pod.name": "cart-2"})), "a replica")
	for name, other := range map[string]string{
		"build":     service("b2", at("a:1", "cart", nil)),
		"service":   service("b1", at("a:1", "order", nil)),
		"namespace": service("b1", at("a:1", "cart", map[string]string{"service.namespace": "shop"})),
		"cluster":   service("b1", at("a:1", "cart", map[string]string{"k8s.cluster.name": "east"})),
		"no name":   service("b1", at("a:1", "", nil)),
	} {
		assert.NotEqual(t, cart, other, name)
	}
	assert.NotEqual(t, service("b1", at("a:1", "", nil)), service("b1", at("b:1", "", nil)), "targets without a name")
}

// TestFailedTraces checks that the scrape succeeds if the trace for origins fails.
func TestFailedTraces(t *testing.T) {
	whole := newFakeProcess(t).trace()
	half := whole[:len(whole)/2]
	for _, test := range []struct {
		name string
		long func(*http.Request) (*http.Response, error)
		size int // max_size; 0 for the default
		log  string
		took time.Duration
	}{
		{name: "busy", long: respondWith(http.StatusInternalServerError, "Could not enable tracing: tracing is already enabled")},
		{name: "refused", long: respondWith(http.StatusForbidden, ""), log: "403"},
		{name: "a login page", long: respondWith(http.StatusOK, "<!DOCTYPE html><html>"), log: "HTML"},
		{name: "nothing", long: respondWith(http.StatusOK, ""), log: "empty"},
		{name: "too large", long: func(*http.Request) (*http.Response, error) {
			return respond(http.StatusOK, bytes.NewReader(whole)), nil
		}, size: len(whole) - 1, log: "origins::max_size"},
		{name: "garbage", long: func(*http.Request) (*http.Response, error) {
			return respond(http.StatusOK, io.MultiReader(bytes.NewReader(half), neverEnding{})), nil
		}, log: "malformed"},
		{name: "said to be too large", long: func(*http.Request) (*http.Response, error) {
			r := respond(http.StatusOK, neverEnding{})
			r.ContentLength = 1 << 40
			return r, nil
		}, log: "origins::max_size"},
		{name: "cut", long: func(*http.Request) (*http.Response, error) {
			return respond(http.StatusOK, bytes.NewReader(half)), nil
		}, log: "malformed"},
		{name: "broken off", long: func(*http.Request) (*http.Response, error) {
			return respond(http.StatusOK, io.MultiReader(bytes.NewReader(half), failing{})), nil
		}, log: "failed to read the response"},
		{name: "no connection", long: func(*http.Request) (*http.Response, error) { return nil, errors.New("refused by the network") }, log: "refused"},
		{name: "hangs", long: func(request *http.Request) (*http.Response, error) {
			<-request.Context().Done()
			return nil, request.Context().Err()
		}, log: "deadline", took: 11 * time.Second},
		{name: "hangs half-way", long: func(request *http.Request) (*http.Response, error) {
			return respond(http.StatusOK, io.MultiReader(bytes.NewReader(half), hanging{request.Context()})), nil
		}, log: "deadline", took: 11 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newFakeTarget(t, newFakeProcess(t), newPool())
				sound := w.target.origins.maxSize
				if test.size > 0 {
					w.target.origins.maxSize = test.size
				}
				w.long = test.long
				began := time.Now()
				w.untilTraced()
				assert.Len(t, w.asked, 2, "the trace of a millisecond follows")
				assert.Equal(t, test.took, time.Since(began)%time.Minute/time.Second*time.Second)
				again := map[int]string{0: "seconds=1.2", 2: "seconds=1.2", 6: "seconds=1.2", 14: "seconds=1.2"}
				if test.log == "" {
					again = map[int]string{}
					for i := range 20 {
						again[i] = "seconds=1.2"
					}
				}
				assert.Equal(t, again, w.traces(20))
				assert.Empty(t, w.scrapeNext().points(telemetry.OriginTraced))
				warnings := w.logs.FilterLevelExact(zap.WarnLevel).All()
				if test.log == "" {
					assert.Empty(t, warnings)
					return
				}
				require.Len(t, warnings, 1, "once, not per attempt")
				assert.Contains(t, fmt.Sprint(warnings[0].ContextMap()), test.log)
				w.long, w.target.origins.maxSize = nil, sound
				w.untilTraced()
				assert.NotEmpty(t, w.scrapeNext().points(telemetry.OriginTraced), "when traces work again")
			})
		})
	}
}

// TestTraceEndsEarly checks that a trace is canceled when all origins are known.
func TestTraceEndsEarly(t *testing.T) {
	recorded, err := os.ReadFile("../../internal/exectrace/testdata/go1.26-generations.trace")
	require.NoError(t, err)
	snapshot, err := exectrace.Decode(recorded)
	require.NoError(t, err)
	i := slices.IndexFunc(snapshot.Groups, func(g stack.Group) bool { return g.Entry == "main.waitReceive" })
	require.GreaterOrEqual(t, i, 0)
	synctest.Test(t, func(t *testing.T) {
		l := newFakeProcess(t)
		l.perScrape = 300 // as fast as the leak in the recorded trace
		l.program = tracetest.NewProgram(tracetest.Stack{
			{Function: "runtime.gopark", File: "/go/src/runtime/proc.go", Line: 1},
			{Function: "runtime.chanrecv", File: "/go/src/runtime/chan.go", Line: 2},
			{Function: "runtime.chanrecv1", File: "/go/src/runtime/chan.go", Line: 3},
			snapshot.Groups[i].Blamed,
		})
		w := newFakeTarget(t, l, newPool())
		body := &closing{Reader: io.MultiReader(bytes.NewReader(recorded), io.LimitReader(neverEnding{}, 1<<20), hanging{t.Context()})}
		w.long = func(*http.Request) (*http.Response, error) {
			r := respond(http.StatusOK, nil)
			r.Body = body
			return r, nil
		}
		for range 60 {
			if body.closed {
				break
			}
			time.Sleep(time.Minute)
			w.waiting += w.perScrape
			w.target.scrape(t.Context())
		}
		result := w.target.origins.result
		assert.Equal(t, scout.Read, result.Ending)
		require.Len(t, result.Origins, 1)
		assert.Equal(t, origin.LeakedBirth, result.Origins[0].Caught)
		assert.Zero(t, time.Now().Second(), "no time has passed")
	})
}

// closing records that it was closed.
type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

// TestPanicInTrace checks that a panic fails the trace for origins but not the scrape.
func TestPanicInTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newPool()
		w := newFakeTarget(t, newFakeProcess(t), shared)
		panics := 0
		w.target.deps.panics = func(context.Context) { panics++ }
		w.long = func(*http.Request) (*http.Response, error) { return respond(http.StatusOK, panicking{}), nil }
		w.untilTraced()
		assert.Equal(t, 1, panics)
		assert.Zero(t, shared.decoding.held)
		w.long = nil
		w.untilTraced()
		assert.NotEmpty(t, w.scrapeNext().points(telemetry.OriginTraced))
	})
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("provoked") }

func respondWith(status int, text string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return respond(status, strings.NewReader(text)), nil }
}

// neverEnding is an endless reader of zeros.
type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("connection reset by peer") }

// hanging blocks until ctx is done.
type hanging struct{ ctx context.Context }

func (h hanging) Read([]byte) (int, error) {
	<-h.ctx.Done()
	return 0, h.ctx.Err()
}

// TestYieldingReader checks that the slot is free while the reader waits.
func TestYieldingReader(t *testing.T) {
	slots := &limiter{limits: []int{1}}
	from, to := io.Pipe()
	r := &yieldingReader{ctx: t.Context(), from: from, slots: slots}
	require.NoError(t, r.acquire())
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, err := r.Read(make([]byte, 1))
		assert.NoError(t, err)
	}()
	require.NoError(t, slots.acquire(t.Context()), "while it waits")
	_, err := to.Write([]byte{1})
	require.NoError(t, err)
	select {
	case <-read:
		require.Fail(t, "Read returned without a slot")
	default:
	}
	slots.release()
	<-read
	assert.Equal(t, 1, slots.held)
	r.release()
	r.release()
	assert.Zero(t, slots.held)
}
