package leakdetect

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadata"
)

// trainedProcessor returns a processor whose state has all kinds of contents: a flagged leak, a
// proved one, entries, another process.
func trainedProcessor(t testing.TB, minutes int) *leakDetect {
	t.Helper()
	p := newProcessor(t, defaultConfig())
	for minute := range minutes {
		judgeMinute(p, minute)
	}
	return p
}

func newProcessor(t testing.TB, c *Config) *leakDetect {
	t.Helper()
	p, err := newLeakDetect(c, processortest.NewNopSettings(metadata.Type))
	require.NoError(t, err)
	return p
}

// judgeMinute judges the data of a minute and returns the findings.
func judgeMinute(p *leakDetect, minute int) []finding {
	at := epoch.Add(time.Duration(minute) * time.Minute)
	s := newFakeProcess("shop")
	leak, stuck := leaking("app.leak", "app.main", at, 3), stuckGroup(5)
	md := s.census(at, leak, stuck, steady("app.pool", "app.pool", 20))
	s.leaks(md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics(), at, stuck)
	newFakeProcess("cart").stacks(newFakeProcess("cart").resource(md), at, false, leaking("app.leak", "app.main", at, 3))
	return p.judge(context.Background(), md).findings
}

func TestRestoredStateIsEquivalent(t *testing.T) {
	before := trainedProcessor(t, 120)
	before.tracker.flush()
	state, err := before.tracker.encodeState()
	require.NoError(t, err)
	after := newProcessor(t, defaultConfig())
	require.NoError(t, after.tracker.restore(state))
	for minute := 120; minute < 240; minute++ {
		want, got := judgeMinute(before, minute), judgeMinute(after, minute)
		require.NotEmpty(t, want)
		require.Len(t, got, len(want))
		for i := range got {
			require.Equal(t, want[i].Verdict, got[i].Verdict)
			require.Equal(t, want[i].attributes.AsRaw(), got[i].attributes.AsRaw())
			require.LessOrEqual(t, got[i].Severity, got[i].Was, "reported again")
		}
	}
}

func TestInvalidStateIsIgnored(t *testing.T) {
	p := trainedProcessor(t, 60)
	before := p.tracker.size()
	require.Error(t, p.tracker.restore([]byte("{}")))
	assert.Equal(t, before, p.tracker.size())
}
