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

// TestRuntimeProofConfirmsLeaks watches a build with the runtime's leak profile. Leaks in that profile
// are confirmed, all others are probable. The test starts its own receiver, since the configuration of
// the collector requires at least five minutes between leak profiles.
func TestRuntimeProofConfirmsLeaks(t *testing.T) {
	t.Parallel()
	service := buildLeaks(t, "GOEXPERIMENT=goroutineleakprofile")
	pprof := loopback.FreeAddress(t)
	run(t, nil, service, "-listen", pprof, "-every", "400ms", "-for", "4m")

	sink := &flagSink{findings: findings{found: make(map[string]map[place]int64)}}
	startDetector(t, pprof, sink)
	v := view{"proved", confirmedIfProvable}
	again := time.NewTicker(500 * time.Millisecond)
	defer again.Stop()
	// A leak that waits for a peer is flagged after 65 s at this scale, unless it appears to slow down by
	// chance: of 3,000 simulated leaks, 1.7% took more than 110 s, and 0.03% more than 170 s. On a busy
	// machine, where calls do slow down by a tenth, it is 4.4% and 0.3%.
	for deadline := time.Now().Add(170 * time.Second); time.Now().Before(deadline); <-again.C {
		if sink.hasAll(t, v) {
			break
		}
	}
	sink.mu.Lock()
	defer sink.mu.Unlock()
	compare(t, v, sink.found[v.service], sink.ids[v.service])
}

// startDetector starts a receiver that scrapes the endpoint, and a processor that sends to sink.
func startDetector(t *testing.T, endpoint string, sink consumer.Metrics) {
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

// flagSink collects the flags of the processor.
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
