package e2e

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver"
)

func confirmedIfProvable(l leak) int64 {
	if l.provable {
		return 3
	}
	return 2
}

// TestWhatTheRuntimeProvesIsConfirmed watches a build with the runtime's leak profile.
// What that finds is confirmed, and all else is found as it is without. The receiver
// is not that of the built collector, whose configuration has leak profiles at least
// five minutes apart.
func TestWhatTheRuntimeProvesIsConfirmed(t *testing.T) {
	t.Parallel()
	service := buildLeaks(t, "GOEXPERIMENT=goroutineleakprofile")
	pprof := loopback.FreeAddress(t)
	run(t, nil, service, "-listen", pprof, "-every", "400ms", "-for", "4m")

	sink := &flagSink{findings: findings{found: make(map[string]map[place]int64)}}
	watch(t, pprof, sink)
	v := view{"proved", confirmedIfProvable}
	again := time.NewTicker(500 * time.Millisecond)
	defer again.Stop()
	// What waits for a peer is believed after 65 s at this scale, unless its calls seem to slow down by
	// chance: of 3,000 simulated leaks 1.7% took more than 110 s, and 0.03% more than 170 s. On a busy machine, where
	// calls do slow down by a tenth, it is 4.4% and 0.3%.
	for deadline := time.Now().Add(170 * time.Second); time.Now().Before(deadline); <-again.C {
		if sink.hasAll(t, v) {
			break
		}
	}
	sink.mu.Lock()
	defer sink.mu.Unlock()
	compare(t, v, sink.found[v.service], sink.ids[v.service])
}

// watch has a receiver scrape the service, and a processor judge what it says.
func watch(t *testing.T, endpoint string, sink consumer.Metrics) {
	t.Helper()
	processors, receivers := leakdetect.NewFactory(), goroutinereceiver.NewFactory()
	rules := processors.CreateDefaultConfig().(*leakdetect.Config)
	rules.MinDuration, rules.MinLeaked, rules.MaxLifetime = 15*time.Second, 10, time.Minute
	processor, err := processors.CreateMetrics(t.Context(), processortest.NewNopSettings(processors.Type()), rules, sink)
	require.NoError(t, err)

	config := receivers.CreateDefaultConfig().(*goroutinereceiver.Config)
	config.ClientConfig.Endpoint, config.ServiceName = endpoint, "proved"
	config.CollectionInterval, config.AgedAfter = time.Second, 5*time.Second
	config.LeakProfile.Enabled, config.LeakProfile.Interval = true, 5*time.Second
	receiver, err := receivers.CreateMetrics(t.Context(), receivertest.NewNopSettings(receivers.Type()), config, processor)
	require.NoError(t, err)

	for _, c := range []component.Component{processor, receiver} {
		require.NoError(t, c.Start(t.Context(), componenttest.NewNopHost()))
		t.Cleanup(func() { require.NoError(t, c.Shutdown(context.Background())) })
	}
}

// flagSink takes what the processor flags.
type flagSink struct {
	mu sync.Mutex
	findings
}

func (*flagSink) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (s *flagSink) ConsumeMetrics(_ context.Context, md pmetric.Metrics) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(md)
	return nil
}

func (s *flagSink) hasAll(t *testing.T, v view) bool {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	return allFound(t, &s.findings, []view{v})
}
