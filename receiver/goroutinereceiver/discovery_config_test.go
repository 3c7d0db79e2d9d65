package goroutinereceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func TestDiscoveryConfig(t *testing.T) {
	cfg := loadConfig(t, "goroutine/discovery")
	assert.Empty(t, cfg.targets())
	assert.Equal(t, []FileSDConfig{{Files: []string{"/etc/otel/targets/*.json", "/etc/otel/more.yaml"}, Interval: 5 * time.Second}}, cfg.FileSD)
	require.Len(t, cfg.HTTPSD, 1)
	assert.Equal(t, "https://inventory.example.com/targets?zone=a", cfg.HTTPSD[0].ClientConfig.Endpoint)
	assert.Equal(t, 10*time.Second, cfg.HTTPSD[0].ClientConfig.Timeout)
	assert.Equal(t, time.Minute, cfg.HTTPSD[0].Interval)
	assert.True(t, cfg.HTTPSD[0].ClientConfig.TLS.InsecureSkipVerify)
	assert.Equal(t, []DNSConfig{
		{Names: []string{"cart.shop.svc.cluster.local"}, Type: "A", Port: 6060, Interval: 30 * time.Second, Labels: map[string]string{"service.name": "cart"}},
		{Names: []string{"_pprof._tcp.payment.shop.svc.cluster.local"}, Type: "SRV", Interval: 5 * time.Second},
	}, cfg.DNS)
	assert.Equal(t, ShardConfig{Index: 2, Count: 3}, cfg.Shard)

	cfg = loadConfig(t, "goroutine/allocator")
	assert.Equal(t, "http://allocator:80", cfg.TargetAllocator.ClientConfig.Endpoint)
	assert.Equal(t, "detector-0", cfg.TargetAllocator.CollectorID)
	assert.Equal(t, "cart", cfg.TargetAllocator.Job)
	assert.Equal(t, 30*time.Second, cfg.TargetAllocator.Interval)
	assert.Equal(t, 10*time.Second, cfg.TargetAllocator.ClientConfig.Timeout)
	assert.Equal(t, ShardConfig{Index: noShard}, cfg.Shard)
}

func TestDiscoveryConfigErrorsNameTheKey(t *testing.T) {
	type m = map[string]any
	list := func(key string, entry m) m { return m{key: []any{entry}} }
	shard := func(s any) m { return m{"endpoint": "a:1", "shard": s} }
	allocator := func(a m) m { return m{"target_allocator": a} }
	tests := []struct {
		name string
		conf m
		want []string
	}{
		{"no files", list("file_sd", m{"interval": "30s"}), []string{"file_sd::0", `"files"`}},
		{"another ending", list("file_sd", m{"files": []any{"/etc/targets"}}), []string{"file_sd::0", `"files"`, "/etc/targets"}},
		{"pattern", list("file_sd", m{"files": []any{"/etc/[/x.json"}}), []string{"file_sd::0", `"files"`}},
		{"unknown key of file_sd", list("file_sd", m{"files": []any{"/x.json"}, "refresh_interval": "1s"}), []string{"file_sd", "refresh_interval"}},
		{"interval without a unit", list("file_sd", m{"files": []any{"/x.json"}, "interval": 30}), []string{"file_sd::0", `"interval"`, "unit"}},
		{"no URL", list("http_sd", m{"interval": "30s"}), []string{"http_sd::0", `"endpoint"`}},
		{"host and port", list("http_sd", m{"endpoint": "inventory:80"}), []string{"http_sd::0", `"endpoint"`}},
		{"password", list("http_sd", m{"endpoint": "http://user:secret@inventory/"}), []string{"http_sd::0", `"endpoint"`, "password"}},
		{"unknown key of http_sd", list("http_sd", m{"endpoint": "http://inventory", "url": "x"}), []string{"http_sd", "url"}},
		{"timeout of http_sd", list("http_sd", m{"endpoint": "http://inventory", "timeout": "0s"}), []string{"http_sd::0", `"timeout"`}},
		{"no names", list("dns", m{"type": "SRV"}), []string{"dns::0", `"names"`}},
		{"type", list("dns", m{"names": []any{"cart"}, "type": "MX"}), []string{"dns::0", `"type"`, `"MX"`}},
		{"no port", list("dns", m{"names": []any{"cart"}, "type": "A"}), []string{"dns::0", `"port"`}},
		{"port of SRV", list("dns", m{"names": []any{"cart"}, "port": 6060}), []string{"dns::0", `"port"`, "SRV"}},
		{"unknown key of dns", list("dns", m{"names": []any{"cart"}, "ports": 1}), []string{"dns", "ports"}},
		{"no allocator", allocator(m{"collector_id": "a"}), []string{"target_allocator", `"endpoint"`}},
		{"an allocator of nothing", allocator(m{}), []string{"target_allocator", `"endpoint"`}},
		{"no collector", allocator(m{"endpoint": "http://allocator"}), []string{"target_allocator", `"collector_id"`}},
		{"unknown key of target_allocator", allocator(m{"endpoint": "http://allocator", "collector_id": "a", "collectorid": "a"}), []string{"target_allocator", "collectorid"}},
		{"index beyond count", shard(m{"index": 3, "count": 3}), []string{"shard", "index is 3 and count 3"}},
		{"index below 0", shard(m{"index": -2, "count": 3}), []string{"shard", "index is -2"}},
		{"no index", shard(m{"count": 3}), []string{"shard", `"index"`}},
		{"no count", shard(m{"index": 0}), []string{"shard", `"count"`}},
		{"a pod of a Deployment", shard(m{"index": "detector-5d8f-x7k2p", "count": 3}), []string{"shard", "StatefulSet", "x7k2p"}},
		{"no environment variable", shard(m{"index": "", "count": 3}), []string{"shard"}},
		{"count", shard(m{"index": 1, "count": 100_000}), []string{`"shard::count"`}},
		{"unknown key of shard", shard(m{"index": 0, "count": 3, "of": 3}), []string{"shard", "of"}},
		{"shards of an allocator", m{"target_allocator": m{"endpoint": "http://allocator", "collector_id": "a"}, "shard": m{"index": 0, "count": 3}}, []string{`"shard" and "target_allocator"`}},
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

func TestShardIndex(t *testing.T) {
	for _, index := range []any{2, "2", "detector-2", "my-detector-2"} {
		cfg := createDefaultConfig().(*Config)
		require.NoError(t, confmap.NewFromStringMap(map[string]any{"endpoint": "a:1", "shard": map[string]any{"index": index, "count": 3}}).Unmarshal(cfg))
		require.NoError(t, confmap.Validate(cfg))
		assert.Equal(t, ShardConfig{Index: 2, Count: 3}, cfg.Shard)
	}
}
