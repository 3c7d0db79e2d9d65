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

// lived returns a processor that has seen all that there is to be remembered: a leak
// that is flagged, one that is proved, entries, another process.
func lived(t testing.TB, minutes int) *leakDetect {
	t.Helper()
	p := fresh(t, defaultConfig())
	for minute := range minutes {
		live(p, minute)
	}
	return p
}

func fresh(t testing.TB, c *Config) *leakDetect {
	t.Helper()
	p, err := newLeakDetect(c, processortest.NewNopSettings(metadata.Type))
	require.NoError(t, err)
	return p
}

// live has the processor live through a minute, and returns what it found.
func live(p *leakDetect, minute int) []finding {
	at := epoch.Add(time.Duration(minute) * time.Minute)
	s := newScene("shop")
	leak, stuck := leaking("app.leak", "app.main", at, 3), named(5)
	md := s.census(at, leak, stuck, steady("app.pool", "app.pool", 20))
	s.leaks(md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics(), at, stuck)
	newScene("cart").stacks(newScene("cart").resource(md), at, false, leaking("app.leak", "app.main", at, 3))
	return p.judge(context.Background(), md).findings
}

func TestStateGoesOnWhereItWas(t *testing.T) {
	before := lived(t, 120)
	before.watch.flush()
	state, err := before.watch.encodeState()
	require.NoError(t, err)
	after := fresh(t, defaultConfig())
	require.NoError(t, after.watch.restore(state))
	for minute := 120; minute < 240; minute++ {
		want, got := live(before, minute), live(after, minute)
		require.NotEmpty(t, want)
		require.Len(t, got, len(want))
		for i := range got {
			require.Equal(t, want[i].Verdict, got[i].Verdict)
			require.Equal(t, want[i].attributes.AsRaw(), got[i].attributes.AsRaw())
			require.LessOrEqual(t, got[i].Severity, got[i].Was, "it is told again")
		}
	}
}

func TestStateOfNoUseChangesNothing(t *testing.T) {
	p := lived(t, 60)
	before := p.watch.size()
	require.Error(t, p.watch.restore([]byte("{}")))
	assert.Equal(t, before, p.watch.size())
}
