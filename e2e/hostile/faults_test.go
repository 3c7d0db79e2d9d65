package hostile

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver"
)

const (
	// mostToRefuse is the most bytes by which the heap may grow to refuse a response, mostToAccept the same to
	// accept one, for each byte of the response.
	mostToRefuse = 16 << 20
	mostToAccept = 8
	// longestName is the length in characters to which names are truncated.
	longestName = 1024
	// mostDelay is the longest time from the last byte of a response until it is refused.
	mostDelay = 500 * time.Millisecond
)

// fault is a path of the fault server with the expected result.
type fault struct {
	name      string
	capture   goroutinereceiver.Capture // "" is auto
	errorType string                    // "" is a valid response
	says      string                    // part of the error
	// size is the decompressed size of a valid response in bytes.
	size int64
	// impatient means a timeout of 1 s instead of 10.
	impatient, tls bool
}

const (
	traced   = goroutinereceiver.CaptureTrace
	profiled = goroutinereceiver.CaptureProfile
)

func faults() []fault {
	return []fault{
		{name: "zeroes-in-gzip", capture: profiled, errorType: "malformed"},
		{name: "zeroes-in-gzip", capture: traced, errorType: "not_pprof", says: "gzip"},
		{name: "zeroes-encoded", capture: profiled, errorType: "malformed"},
		{name: "zeroes-encoded", capture: traced, errorType: "not_pprof"},
		{name: "zeroes-in-two-gzips", capture: profiled, errorType: "malformed"},
		{name: "zeroes-in-two-gzips", capture: traced, errorType: "not_pprof", says: "gzip"},
		{name: "profile-encoded", capture: profiled, size: 64 << 10},
		{name: "profile-in-two-gzips", capture: profiled, errorType: "not_pprof", says: "gzip within gzip"},
		{name: "plain-as-encoded", errorType: "malformed"},

		{name: "one-string", capture: profiled, errorType: "malformed"},
		{name: "one-string-plain", capture: profiled, errorType: "malformed"},
		{name: "empty-samples", capture: profiled, errorType: "malformed"},
		{name: "empty-labels", capture: profiled, size: 4 << 20},
		{name: "empty-labels-plain", capture: profiled, size: 4 << 20},
		{name: "empty-locations", capture: profiled, errorType: "malformed"},
		{name: "empty-mappings", capture: profiled, size: 4 << 20},
		{name: "empty-strings", capture: profiled, size: 4 << 20},

		{name: "no-such-string", capture: profiled, errorType: "malformed"},
		{name: "no-such-location", capture: profiled, errorType: "malformed"},
		{name: "no-such-function", capture: profiled, errorType: "malformed"},
		{name: "same-ids", capture: profiled, errorType: "malformed"},
		{name: "negative-count", capture: profiled, errorType: "malformed"},
		{name: "huge-counts", capture: profiled, errorType: "malformed"},
		{name: "hostile-names", capture: profiled, size: 2 << 20},

		{name: "headers", errorType: "connection", says: "header"},
		{name: "endless", errorType: "malformed"},
		{name: "endless-text", errorType: "not_pprof"},
		{name: "endless-true", capture: profiled, errorType: "too_large"},
		{name: "endless-trace", capture: traced, errorType: "too_large"},
		{name: "drip", errorType: "timeout", impatient: true},
		{name: "length-short", capture: profiled, errorType: "malformed"},
		{name: "length-long", capture: profiled, errorType: "malformed", says: "failed to read the response"},
		{name: "length-huge", errorType: "too_large", says: "max_body_size"},
		{name: "reset", capture: profiled, errorType: "malformed", says: "reset"},
		{name: "hung", errorType: "timeout", impatient: true},
		{name: "slow", errorType: "timeout"},
		{name: "to-elsewhere", errorType: "http_status", says: "redirects are not followed"},
		{name: "to-https", errorType: "http_status", says: "redirects are not followed"},
		{name: "to-http", errorType: "http_status", says: "redirects are not followed", tls: true},
		{name: "to-link-local", errorType: "http_status", says: "redirects are not followed"},

		{name: "html", errorType: "not_pprof", says: "HTML"},
		{name: "empty", errorType: "not_pprof", says: "empty"},
		{name: "text", errorType: "not_pprof", says: "text"},
		{name: "heap", errorType: "not_pprof", says: "goroutine"},
		{name: "401", errorType: "unauthorized", says: "401"},
		{name: "403", errorType: "unauthorized", says: "403"},
		{name: "404", errorType: "http_status", says: "404"},
		{name: "429", errorType: "http_status", says: "429"},
		{name: "500", errorType: "http_status", says: "500"},

		{name: "trace-of-nothing", capture: traced, errorType: "malformed"},
		{name: "trace-of-the-future", capture: traced, errorType: "unsupported_version", says: "1.99"},
		{name: "trace-backwards", capture: traced, errorType: "malformed"},
		{name: "trace-swapped", capture: traced, errorType: "malformed"},
		{name: "trace-generation", capture: traced, errorType: "malformed"},
		{name: "trace-long", capture: traced, errorType: "too_large"},
		{name: "trace-cut", capture: traced, errorType: "not_pprof|malformed"},
	}
}

// TestEachFault scrapes each faulty target beside a sound one.
func TestEachFault(t *testing.T) {
	s := startServer(t)
	for _, f := range faults() {
		t.Run(strings.TrimSuffix(f.name+"/"+string(f.capture), "/"), func(t *testing.T) { f.test(t, s) })
	}
	assert.Equal(t, "0", s.get(t, "asked-elsewhere"), "requests to another server")
}

// TestEachFaultIsTested checks that the table has all faults of the server.
func TestEachFaultIsTested(t *testing.T) {
	served := strings.Fields(startServer(t).get(t, "names"))
	var tested []string
	for _, f := range faults() {
		tested = append(tested, f.name)
	}
	slices.Sort(served)
	slices.Sort(tested)
	assert.Equal(t, served, slices.Compact(tested))
}

func (f fault) test(t *testing.T, s *server) {
	if f.errorType != "timeout" {
		s.warm(t, f.name)
	}
	bad := target("bad", f.address(s)+"/"+f.name+"/debug/pprof", func(c *goroutinereceiver.TargetConfig) {
		c.ClientConfig.Headers.Set("Authorization", "Bearer secret")
		if f.capture != "" {
			c.Capture = f.capture
		}
		if f.impatient {
			c.ClientConfig.Timeout = time.Second
		}
	})
	var w *running
	var got scrape
	begin := time.Now()
	growth := heapGrowth(func() {
		w = startReceiver(t, 300*time.Millisecond, bad, target("sound", s.plain+"/sound/debug/pprof"))
		got = w.await(t, "bad", 1, 20*time.Second)[0]
	})
	delay := got.at.Sub(s.ended(t, begin))
	w.await(t, "sound", 2, 10*time.Second)
	w.stop(t)
	for _, other := range w.of("sound") {
		up, errorType := other.up()
		assert.True(t, up, "the other target: %s", errorType)
	}
	t.Logf("heap +%s, result %v after the last byte", mib(growth), delay.Round(time.Millisecond))

	up, errorType := got.up()
	if f.errorType == "" {
		assert.True(t, up, errorType)
		assert.LessOrEqual(t, growth, mostToAccept*f.size+2<<20, "heap, with 2 MiB for two clients and the responses of a server")
		f.checkValues(t, got)
		return
	}
	assert.False(t, up)
	assert.Contains(t, strings.Split(f.errorType, "|"), errorType)
	assert.Equal(t, pointsOfFailure, got.DataPointCount(), "points about the scrape only")
	assert.LessOrEqual(t, growth, int64(mostToRefuse), "heap")
	if errorType != "timeout" {
		assert.LessOrEqual(t, delay, mostDelay)
	}
	f.checkLog(t, w)
}

func (f fault) address(s *server) string {
	if f.tls {
		return s.secure
	}
	return s.plain
}

// checkValues checks that counts are consistent and names are clean.
func (f fault) checkValues(t *testing.T, got scrape) {
	t.Helper()
	assert.Positive(t, got.sum("go.goroutine.count"))
	assert.Equal(t, got.sum("go.goroutine.count"), got.sum("goroutine.stack.count"))
	for _, p := range got.points("goroutine.stack.count").All() {
		assert.Positive(t, p.IntValue())
		for key, value := range p.Attributes().All() {
			text := value.AsString()
			assert.True(t, utf8.ValidString(text), key)
			assert.LessOrEqual(t, utf8.RuneCountInString(text), longestName, key)
			assert.Equal(t, -1, strings.IndexFunc(text, unicode.IsControl), "%s: %q", key, text)
		}
	}
}

// checkLog checks that the log names the error and the target once, without content of the target that could
// harm the log.
func (f fault) checkLog(t *testing.T, w *running) {
	t.Helper()
	failures := w.logs.FilterMessage("Scrape failed").All()
	require.NotEmpty(t, failures)
	if f.name != "trace-cut" { // which fails in several ways
		require.Len(t, failures, 1)
	}
	fields := failures[0].ContextMap()
	assert.Contains(t, fields["target"], "/"+f.name+"/debug/pprof")
	assert.Contains(t, fields["error"], f.says)
	all := fmt.Sprint(fields)
	assert.Less(t, len(all), 1000)
	assert.Equal(t, -1, strings.IndexFunc(all, unicode.IsControl), "%q", all)
	assert.NotContains(t, all, "secret")
}
