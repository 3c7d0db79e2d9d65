package goroutinereceiver

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func loadConfig(t *testing.T, name string) *Config {
	t.Helper()
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	section, err := all.Sub(name)
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, section.Unmarshal(cfg))
	require.NoError(t, confmap.Validate(cfg))
	return cfg
}

func TestSingleTarget(t *testing.T) {
	cfg := loadConfig(t, "goroutine/single")
	targets := cfg.targets()
	require.Len(t, targets, 1)
	assert.Equal(t, "127.0.0.1:6060", targets[0].ClientConfig.Endpoint)
	assert.Equal(t, "cart", targets[0].ServiceName)
	assert.Equal(t, map[string]string{"deployment.environment.name": "production"}, targets[0].Attributes)
	assert.Equal(t, CaptureAuto, targets[0].Capture)
	assert.Equal(t, 10*time.Second, targets[0].ClientConfig.Timeout)
	assert.Equal(t, time.Minute, cfg.CollectionInterval)
	assert.Equal(t, 10*time.Minute, cfg.AgedAfter)
	assert.Equal(t, 200, cfg.MaxSignatures)
	assert.Equal(t, 32<<20, cfg.MaxBodySize)
	assert.Equal(t, LeakProfileConfig{Interval: 10 * time.Minute, MaxGoroutines: 100_000}, cfg.LeakProfile)
	assert.Equal(t, OriginsConfig{Enabled: true, Duration: 1200 * time.Millisecond, MaxSize: 8 << 20, Budget: 0.0005}, cfg.Origins)
}

func TestTargetsInheritSettings(t *testing.T) {
	targets := loadConfig(t, "goroutine/many").targets()
	require.Len(t, targets, 2)
	tenant := func(i int) string {
		value, _ := targets[i].ClientConfig.Headers.Get("X-Tenant")
		return string(value)
	}

	assert.Equal(t, "10.0.0.1:6060", targets[0].ClientConfig.Endpoint)
	assert.Equal(t, CaptureTrace, targets[0].Capture)
	assert.Equal(t, 5*time.Second, targets[0].ClientConfig.Timeout)
	assert.Equal(t, "shop", tenant(0))
	assert.False(t, targets[0].ClientConfig.TLS.InsecureSkipVerify)
	assert.Equal(t, map[string]string{"deployment.environment.name": "production", "team": "shop"}, targets[0].Attributes)

	assert.Equal(t, CaptureProfile, targets[1].Capture)
	assert.Equal(t, 20*time.Second, targets[1].ClientConfig.Timeout)
	assert.Equal(t, "payment", tenant(1))
	assert.True(t, targets[1].ClientConfig.TLS.InsecureSkipVerify)
	assert.Equal(t, map[string]string{"deployment.environment.name": "production", "team": "payment"}, targets[1].Attributes)
}

func TestConfigErrorsNameTheKey(t *testing.T) {
	target := func(m map[string]any) map[string]any {
		if _, ok := m["endpoint"]; !ok {
			m["endpoint"] = "10.0.0.1:6060"
		}
		return map[string]any{"targets": []any{map[string]any{"endpoint": "10.0.0.9:1"}, m}}
	}
	tests := []struct {
		name string
		conf map[string]any
		want []string
	}{
		{"nothing", map[string]any{}, []string{`"targets"`, `"endpoint"`}},
		{"both forms", map[string]any{"endpoint": "a:1", "targets": []any{map[string]any{"endpoint": "b:1"}}}, []string{`"endpoint" and "targets"`}},
		{"unknown key", map[string]any{"endpoint": "a:1", "intervall": "1s"}, []string{`unknown key "intervall"`}},
		{"similar key", map[string]any{"endpoint": "a:1", "service": "cart"}, []string{`unknown key "service", did you mean "service_name"?`}},
		{"unknown key of a target", target(map[string]any{"service": "x"}), []string{"targets::1", `"service_name"`}},
		{"unknown key below tls", target(map[string]any{"tls": map[string]any{"ca_fil": "x"}}), []string{"targets::1", "ca_fil"}},
		{"interval", map[string]any{"endpoint": "a:1", "collection_interval": "0s"}, []string{`"collection_interval"`}},
		{"interval in nanoseconds", map[string]any{"endpoint": "a:1", "collection_interval": 60}, []string{`"collection_interval"`, "unit"}},
		{"proxy", map[string]any{"endpoint": "a:1", "proxy_url": "http://u:p@[bad"}, []string{`"proxy_url"`}},
		{"password of a proxy", map[string]any{"endpoint": "a:1", "proxy_url": "http://user:secret@proxy:3128"}, []string{`"proxy_url"`, "HTTP_PROXY"}},
		{"allow_link_local", map[string]any{"endpoint": "a:1", "allow_link_local": []any{"http://169.254.1.1"}}, []string{`"allow_link_local"`}},
		{"allow_link_local with a port", map[string]any{"endpoint": "a:1", "allow_link_local": []any{"cart:80"}}, []string{`"allow_link_local"`}},
		{"unknown metric", map[string]any{"endpoint": "a:1", "metrics": map[string]any{"go.goroutine.cuont": map[string]any{"enabled": false}}}, []string{"metrics", "go.goroutine.cuont"}},
		{"unknown resource attribute", map[string]any{"endpoint": "a:1", "resource_attributes": map[string]any{"service.nam": map[string]any{"enabled": false}}}, []string{"resource_attributes", "service.nam"}},
		{"one stream twice", map[string]any{"targets": []any{map[string]any{"endpoint": "LOCALHOST:80"}, map[string]any{"endpoint": "http://localhost"}}}, []string{`"targets"`, "localhost:80"}},
		{"interval without unit", map[string]any{"endpoint": "a:1", "collection_interval": "abc"}, []string{"collection_interval"}},
		{"timeout", map[string]any{"endpoint": "a:1", "timeout": "0s"}, []string{`"timeout"`}},
		{"timeout of a target", target(map[string]any{"timeout": "-1s"}), []string{"targets::1", `"timeout"`}},
		{"aged_after", map[string]any{"endpoint": "a:1", "aged_after": "-1s"}, []string{`"aged_after"`}},
		{"max_signatures", map[string]any{"endpoint": "a:1", "max_signatures": 0}, []string{`"max_signatures"`}},
		{"max_body_size", map[string]any{"endpoint": "a:1", "max_body_size": 0}, []string{`"max_body_size"`}},
		{"max_concurrent_scrapes", map[string]any{"endpoint": "a:1", "max_concurrent_scrapes": 0}, []string{`"max_concurrent_scrapes"`}},
		{"leak_profile interval", map[string]any{"endpoint": "a:1", "leak_profile": map[string]any{"interval": "1m"}}, []string{`"leak_profile::interval"`, "5m"}},
		{"leak_profile max_goroutines", map[string]any{"endpoint": "a:1", "leak_profile": map[string]any{"max_goroutines": 0}}, []string{`"leak_profile::max_goroutines"`}},
		{"leak_profile as a switch", map[string]any{"endpoint": "a:1", "leak_profile": true}, []string{"leak_profile: {enabled: true}"}},
		{"origins as a switch", map[string]any{"endpoint": "a:1", "origins": false}, []string{"origins: {enabled: false}"}},
		{"origins duration", map[string]any{"endpoint": "a:1", "origins": map[string]any{"duration": 1}}, []string{`"origins::duration"`, "unit"}},
		{"origins duration of a minute", map[string]any{"endpoint": "a:1", "origins": map[string]any{"duration": "1m"}}, []string{`"origins::duration"`, "10s"}},
		{"origins max_size", map[string]any{"endpoint": "a:1", "origins": map[string]any{"max_size": 0}}, []string{`"origins::max_size"`}},
		{"origins budget", map[string]any{"endpoint": "a:1", "origins": map[string]any{"budget": 0}}, []string{`"origins::budget"`, "cores"}},
		{"origins budget of two cores", map[string]any{"endpoint": "a:1", "origins": map[string]any{"budget": 2}}, []string{`"origins::budget"`, "cores"}},
		{"unknown key of origins", map[string]any{"endpoint": "a:1", "origins": map[string]any{"durations": "1s"}}, []string{"origins", "durations"}},
		{"no port", map[string]any{"endpoint": "127.0.0.1"}, []string{`"endpoint"`, "port is missing"}},
		{"unknown key of leak_profile", map[string]any{"endpoint": "a:1", "leak_profile": map[string]any{"intervall": "10m"}}, []string{"leak_profile", "intervall"}},
		{"capture", map[string]any{"endpoint": "a:1", "capture": "heap"}, []string{`"capture"`, `"heap"`}},
		{"capture of a target", target(map[string]any{"capture": "heap"}), []string{"targets::1", `"capture"`}},
		{"no endpoint", target(map[string]any{"endpoint": ""}), []string{"targets::1", `"endpoint"`}},
		{"endpoint of a profile", target(map[string]any{"endpoint": "a:1/debug/pprof/goroutine"}), []string{"targets::1", `"endpoint"`}},
		{"endpoint twice", target(map[string]any{"endpoint": "http://10.0.0.9:1/debug/pprof/"}), []string{`"targets"`, "0 and 1"}},
		{"several at once", map[string]any{"endpoint": "a:1", "aged_after": "0s", "max_signatures": -1}, []string{`"aged_after"`, `"max_signatures"`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			err := confmap.NewFromStringMap(test.conf).Unmarshal(cfg)
			if err == nil {
				err = confmap.Validate(cfg)
			}
			require.Error(t, err)
			for _, want := range test.want {
				require.ErrorContains(t, err, want)
			}
			assert.NotContains(t, err.Error(), "secret")
		})
	}
}
