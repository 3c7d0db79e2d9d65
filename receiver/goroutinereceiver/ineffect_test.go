package goroutinereceiver

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// changesInEffect starts a receiver with empty lists that are polled every 30 s, and adds a target
// to each at different times of the interval. It returns the sorted times until the targets were
// scraped.
func changesInEffect(t testing.TB, hostPort string, lists int) []time.Duration {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	folder := t.TempDir()
	name := func(i int) string { return filepath.Join(folder, fmt.Sprintf("%d.json", i)) }
	put := func(i int, text string) {
		require.NoError(t, os.WriteFile(name(i), []byte(text), 0o600))
		require.NoError(t, os.Chtimes(name(i), time.Now(), time.Now()))
	}
	path := func(i int) string { return fmt.Sprintf("/%d/debug/pprof", i) }
	for i := range lists {
		put(i, "[]")
		cfg.FileSD = append(cfg.FileSD, FileSDConfig{Files: []string{name(i)}, Interval: defaultPollInterval})
	}

	var mu sync.Mutex
	scrapedAt := make(map[string]time.Time)
	all := make(chan struct{})
	next, err := consumer.NewMetrics(func(_ context.Context, md pmetric.Metrics) error {
		mu.Lock()
		defer mu.Unlock()
		id := scraped{md}.resource("service.instance.id")
		if _, again := scrapedAt[id]; !again {
			scrapedAt[id] = time.Now()
			if len(scrapedAt) == lists {
				close(all)
			}
		}
		return nil
	})
	require.NoError(t, err)
	r, err := newReceiver(cfg, newPool(), receivertest.NewNopSettings(metadata.Type))
	require.NoError(t, err)
	r.next = next
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	defer func() { require.NoError(t, r.Shutdown(context.Background())) }()

	changedAt := make([]time.Time, lists)
	tick := time.NewTicker(defaultPollInterval / time.Duration(lists))
	defer tick.Stop()
	for range 5 * time.Second / (defaultPollInterval / time.Duration(lists)) { // until the first poll is over
		<-tick.C
	}
	for i := range lists {
		<-tick.C
		changedAt[i] = time.Now()
		put(i, "["+groupJSON(hostPort, path(i), "")+"]")
	}
	<-all
	var took []time.Duration
	for i := range lists {
		took = append(took, scrapedAt[hostPort+path(i)].Sub(changedAt[i]))
	}
	slices.Sort(took)
	return took
}

// inEffectWithin is the promised maximum time until a change of targets is in effect.
const inEffectWithin = 35 * time.Second

// TestChangesInEffect makes 120 changes, one every 250 ms. There is no server, so each scrape fails
// at once.
func TestChangesInEffect(t *testing.T) {
	unused := unusedAddress(t)
	synctest.Test(t, func(t *testing.T) {
		took := changesInEffect(t, unused, 120)
		t.Logf("from %v to %v", took[0], took[len(took)-1])
		assert.LessOrEqual(t, took[len(took)-1], inEffectWithin)
	})
}

// BenchmarkChangeInEffect does the same in real time with a server. It takes 90 seconds.
func BenchmarkChangeInEffect(b *testing.B) {
	server := serve(b, pathsMux())
	for b.Loop() {
		took := changesInEffect(b, server, 60)
		b.ReportMetric(took[len(took)-1].Seconds(), "s-max")
		b.ReportMetric(took[len(took)/2].Seconds(), "s-median")
		if took[len(took)-1] > inEffectWithin {
			b.Errorf("a change took %v to take effect", took[len(took)-1])
		}
	}
}
