package goroutinereceiver

import (
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/internal/proof"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// serveLeakProfile serves this process with a leak profile, and counts the requests for it.
func serveLeakProfile(t *testing.T, handler http.Handler) (target TargetConfig, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	mux := pprofMux()
	mux.HandleFunc("/debug/pprof/goroutineleak", func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		assert.Equal(t, "debug=0", r.URL.RawQuery)
		handler.ServeHTTP(w, r)
	})
	return targetAt(serve(t, mux)), asked
}

// leakConfig enables leak profiles, one per scrape.
func leakConfig(target TargetConfig) *Config {
	cfg := testConfig(target)
	cfg.LeakProfile = LeakProfileConfig{Enabled: true, Interval: time.Nanosecond, MaxGoroutines: 100_000}
	return cfg
}

// leakProfileHandler serves a leak profile of Go 1.26.
func leakProfileHandler(t *testing.T) http.Handler {
	t.Helper()
	body, err := os.ReadFile("../../internal/profile/testdata/leaks-go1.26.gz")
	require.NoError(t, err)
	return respondAlways(http.StatusOK, nil, body)
}

func TestLeaksAreProvedByTwoConsecutiveProfiles(t *testing.T) {
	target, _ := serveLeakProfile(t, leakProfileHandler(t))
	r, logs := newIdleReceiver(t, leakConfig(target))
	r.targets[0].leaks.Interval = time.Minute // so that the proof stays valid
	scrape := func() scraped {
		r.targets[0].leaks.lastAttempt = time.Time{}
		return scrapeOf(t, r.targets[0])
	}
	first := scrape()
	require.Len(t, first.points(telemetry.StackLeakedCount), 1)
	assert.EqualValues(t, 0, first.sum(telemetry.StackLeakedCount, telemetry.AttrSignature, telemetry.SignatureOther))

	second := scrape()
	assert.Len(t, second.points(telemetry.StackLeakedCount), 4)
	assert.EqualValues(t, 5, second.sum(telemetry.StackLeakedCount))
	assert.EqualValues(t, 2, second.sum(telemetry.StackLeakedCount,
		telemetry.AttrFunction, "main.cond", telemetry.AttrState, "cond", telemetry.AttrEntry, "main.cond", telemetry.AttrLine, "117"))
	assert.True(t, second.up())
	assert.Zero(t, logs.FilterLevelExact(zap.WarnLevel).Len())

	r.targets[0].leaks.reset()
	third := scrape()
	assert.Len(t, third.points(telemetry.StackLeakedCount), 1, "no proof for the new process")
}

func TestWithoutLeakProfile(t *testing.T) {
	tests := []struct {
		name    string
		handler http.Handler
		change  func(*Config)
		asked   bool
		log     string // "" if nothing is logged
	}{
		{"switched off", http.NotFoundHandler(), func(c *Config) { c.LeakProfile.Enabled = false }, false, ""},
		{"the target has none", http.NotFoundHandler(), func(*Config) {}, true, "GOEXPERIMENT=goroutineleakprofile"},
		{"another status", respondAlways(500, nil, []byte("oops")), func(*Config) {}, true, "oops"},
		{"a page", respondAlways(200, nil, []byte("<html>")), func(*Config) {}, true, "a page of HTML"},
		{"another profile", respondAlways(200, nil, profileOf(t, "goroutine")), func(*Config) {}, true, "unexpected kind of profile"},
		{"too many goroutines", http.NotFoundHandler(), func(c *Config) { c.LeakProfile.MaxGoroutines = 1 }, false, `"leak_profile::max_goroutines"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			target, asked := serveLeakProfile(t, test.handler)
			cfg := leakConfig(target)
			test.change(cfg)
			r, logs := newIdleReceiver(t, cfg)
			for range 3 {
				s := scrapeOf(t, r.targets[0])
				assert.True(t, s.up(), "the scrape has not failed")
				assert.Empty(t, s.points(telemetry.StackLeakedCount))
			}
			assert.Equal(t, test.asked, asked.Load() > 0)
			warnings := logs.FilterLevelExact(zap.WarnLevel).All()
			if test.log == "" {
				assert.Empty(t, warnings)
				return
			}
			require.Len(t, warnings, 1, "logged once")
			assert.Contains(t, warnings[0].ContextMap()["error"], test.log)
		})
	}
}

func TestLeakProfileComesBack(t *testing.T) {
	var working atomic.Bool
	target, _ := serveLeakProfile(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if working.Load() {
			leakProfileHandler(t).ServeHTTP(w, r)
			return
		}
		http.NotFound(w, r)
	}))
	r, logs := newIdleReceiver(t, leakConfig(target))
	r.targets[0].scrape(t.Context())
	working.Store(true)
	r.targets[0].scrape(t.Context())
	assert.Equal(t, 1, logs.FilterMessage("Failed to collect a leak profile").Len())
	assert.Equal(t, 1, logs.FilterMessage("Leak profiles are collected again").Len())
}

// TestHungLeakProfile checks that a hung leak profile ends with the timeout of the scrape, which
// succeeds.
func TestHungLeakProfile(t *testing.T) {
	target, _ := serveLeakProfile(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	target.ClientConfig.Timeout = 300 * time.Millisecond
	r, logs := newIdleReceiver(t, leakConfig(target))
	began := time.Now()
	assert.True(t, scrapeOf(t, r.targets[0]).up())
	assert.Less(t, time.Since(began), 2*300*time.Millisecond)
	assert.Equal(t, 1, logs.FilterMessage("Failed to collect a leak profile").Len())
}

func TestLeakProfileIsDueAndStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := leakProfiler{LeakProfileConfig: LeakProfileConfig{Enabled: true, Interval: 10 * time.Minute}}
		assert.True(t, l.due(), "the first")
		l.lastAttempt, l.provenAt, l.proven = time.Now(), time.Now(), make([]proof.Row, 1)
		time.Sleep(10*time.Minute - time.Nanosecond)
		assert.False(t, l.due())
		time.Sleep(time.Nanosecond)
		assert.True(t, l.due())
		time.Sleep(10 * time.Minute)
		assert.Len(t, l.currentProof(), 1)
		time.Sleep(time.Nanosecond)
		assert.Empty(t, l.currentProof())
	})
}

// TestLeaksHaveTimestampOfCensus checks that the proof of a slow leak profile has the timestamp of
// the census, so that both belong to the same observation.
func TestLeaksHaveTimestampOfCensus(t *testing.T) {
	body := leakProfileHandler(t)
	target, _ := serveLeakProfile(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-time.After(30 * time.Millisecond)
		body.ServeHTTP(w, r)
	}))
	r, _ := newIdleReceiver(t, leakConfig(target))
	r.targets[0].leaks.Interval = time.Minute
	for range 2 {
		r.targets[0].leaks.lastAttempt = time.Time{}
		s := scrapeOf(t, r.targets[0])
		census := s.points(telemetry.StackCount)[0].Timestamp()
		for _, p := range s.points(telemetry.StackLeakedCount) {
			assert.Equal(t, census, p.Timestamp())
		}
	}
}

// TestLeakProfileOverNewConnection checks that a new connection of a leak profile is reported to
// the next census, which uses the same connection: the process may be a new one.
func TestLeakProfileOverNewConnection(t *testing.T) {
	for _, renewed := range []bool{false, true} {
		mux := pprofMux()
		mux.Handle("/debug/pprof/goroutineleak", leakProfileHandler(t))
		var closes atomic.Bool
		closes.Store(renewed)
		endpoint := serve(t, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
			if closes.Load() && request.URL.Path == "/debug/pprof/goroutine" {
				w.Header().Set("Connection", "close")
			}
			mux.ServeHTTP(w, request)
		}))
		r, _ := newIdleReceiver(t, leakConfig(targetAt(endpoint, func(c *TargetConfig) { c.Capture = CaptureProfile })))
		end := startWaiters(t, 500)
		first := startOf(t, scrapeOf(t, r.targets[0]))
		closes.Store(false)
		end()
		second := startOf(t, scrapeOf(t, r.targets[0]))
		assert.Equal(t, renewed, second > first)
	}
}
