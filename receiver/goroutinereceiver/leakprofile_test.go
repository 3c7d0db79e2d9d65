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

// leaking is a target with a leak profile, and what it answers when asked for that.
// The answer is counted.
func leaking(t *testing.T, answer http.Handler) (target TargetConfig, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	mux := pprofMux()
	mux.HandleFunc("/debug/pprof/goroutineleak", func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		assert.Equal(t, "debug=0", r.URL.RawQuery)
		answer.ServeHTTP(w, r)
	})
	return targetAt(serve(t, mux)), asked
}

// leakConfig asks for a leak profile in every scrape.
func leakConfig(target TargetConfig) *Config {
	cfg := testConfig(target)
	cfg.LeakProfile = LeakProfileConfig{Enabled: true, Interval: time.Nanosecond, MaxGoroutines: 100_000}
	return cfg
}

// realLeaks is a leak profile of Go 1.26.
func realLeaks(t *testing.T) http.Handler {
	t.Helper()
	body, err := os.ReadFile("../../internal/profile/testdata/leaks-go1.26.gz")
	require.NoError(t, err)
	return answer(http.StatusOK, nil, body)
}

func TestLeaksAreProvedByTwoProfilesRunning(t *testing.T) {
	target, _ := leaking(t, realLeaks(t))
	r, logs := idle(t, leakConfig(target))
	r.targets[0].leaks.Interval = time.Minute // what was proved holds for that long
	scrape := func() scraped {
		r.targets[0].leaks.asked = time.Time{}
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

	r.targets[0].leaks.restart()
	third := scrape()
	assert.Len(t, third.points(telemetry.StackLeakedCount), 1, "of a process that is gone nothing is proved")
}

func TestWithoutLeakProfile(t *testing.T) {
	tests := []struct {
		name   string
		answer http.Handler
		change func(*Config)
		asked  bool
		log    string // "" is none
	}{
		{"switched off", http.NotFoundHandler(), func(c *Config) { c.LeakProfile.Enabled = false }, false, ""},
		{"the target has none", http.NotFoundHandler(), func(*Config) {}, true, "GOEXPERIMENT=goroutineleakprofile"},
		{"another status", answer(500, nil, []byte("oops")), func(*Config) {}, true, "oops"},
		{"a page", answer(200, nil, []byte("<html>")), func(*Config) {}, true, "a page of HTML"},
		{"another profile", answer(200, nil, profileOf(t, "goroutine")), func(*Config) {}, true, "unexpected kind of profile"},
		{"too many goroutines", http.NotFoundHandler(), func(c *Config) { c.LeakProfile.MaxGoroutines = 1 }, false, `"leak_profile::max_goroutines"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			target, asked := leaking(t, test.answer)
			cfg := leakConfig(target)
			test.change(cfg)
			r, logs := idle(t, cfg)
			for range 3 {
				s := scrapeOf(t, r.targets[0])
				assert.True(t, s.up(), "the scrape has not failed")
				assert.Empty(t, s.points(telemetry.StackLeakedCount))
			}
			assert.Equal(t, test.asked, asked.Load() > 0)
			told := logs.FilterLevelExact(zap.WarnLevel).All()
			if test.log == "" {
				assert.Empty(t, told)
				return
			}
			require.Len(t, told, 1, "it is told once")
			assert.Contains(t, told[0].ContextMap()["error"], test.log)
		})
	}
}

func TestLeakProfileComesBack(t *testing.T) {
	var working atomic.Bool
	target, _ := leaking(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if working.Load() {
			realLeaks(t).ServeHTTP(w, r)
			return
		}
		http.NotFound(w, r)
	}))
	r, logs := idle(t, leakConfig(target))
	r.targets[0].scrape(t.Context())
	working.Store(true)
	r.targets[0].scrape(t.Context())
	assert.Equal(t, 1, logs.FilterMessage("No leak profile can be had").Len())
	assert.Equal(t, 1, logs.FilterMessage("A leak profile can be had again").Len())
}

// TestALeakProfileThatHangs takes no longer than a scrape may take in all, and does it no harm.
func TestALeakProfileThatHangs(t *testing.T) {
	target, _ := leaking(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	target.ClientConfig.Timeout = 300 * time.Millisecond
	r, logs := idle(t, leakConfig(target))
	began := time.Now()
	assert.True(t, scrapeOf(t, r.targets[0]).up())
	assert.Less(t, time.Since(began), 2*300*time.Millisecond)
	assert.Equal(t, 1, logs.FilterMessage("No leak profile can be had").Len())
}

func TestLeakProfileIsDueAndStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := leakProfiler{LeakProfileConfig: LeakProfileConfig{Enabled: true, Interval: 10 * time.Minute}}
		assert.True(t, l.due(), "the first")
		l.asked, l.at, l.proven = time.Now(), time.Now(), make([]proof.Row, 1)
		time.Sleep(10*time.Minute - time.Nanosecond)
		assert.False(t, l.due())
		time.Sleep(time.Nanosecond)
		assert.True(t, l.due())
		time.Sleep(10 * time.Minute)
		assert.Len(t, l.fresh(), 1)
		time.Sleep(time.Nanosecond)
		assert.Empty(t, l.fresh())
	})
}

// TestLeaksBelongToTheirCensus has a leak profile that takes its time. What it proves
// has the time stamp of the census, with which it is judged.
func TestLeaksBelongToTheirCensus(t *testing.T) {
	body := realLeaks(t)
	target, _ := leaking(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-time.After(30 * time.Millisecond)
		body.ServeHTTP(w, r)
	}))
	r, _ := idle(t, leakConfig(target))
	r.targets[0].leaks.Interval = time.Minute
	for range 2 {
		r.targets[0].leaks.asked = time.Time{}
		s := scrapeOf(t, r.targets[0])
		census := s.points(telemetry.StackCount)[0].Timestamp()
		for _, p := range s.points(telemetry.StackLeakedCount) {
			assert.Equal(t, census, p.Timestamp())
		}
	}
}

// TestLeakProfileOverANewConnection may be of another process than the profile before
// it. The next census, over the same connection as the leak profile, must know.
func TestLeakProfileOverANewConnection(t *testing.T) {
	for _, renewed := range []bool{false, true} {
		mux := pprofMux()
		mux.Handle("/debug/pprof/goroutineleak", realLeaks(t))
		var closes atomic.Bool
		closes.Store(renewed)
		endpoint := serve(t, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
			if closes.Load() && request.URL.Path == "/debug/pprof/goroutine" {
				w.Header().Set("Connection", "close")
			}
			mux.ServeHTTP(w, request)
		}))
		r, _ := idle(t, leakConfig(targetAt(endpoint, func(c *TargetConfig) { c.Capture = CaptureProfile })))
		end := crowd(t, 500)
		first := startOf(t, scrapeOf(t, r.targets[0]))
		closes.Store(false)
		end()
		second := startOf(t, scrapeOf(t, r.targets[0]))
		assert.Equal(t, renewed, second > first)
	}
}
