package leakdetect

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadata"
)

// Whatever comes in goes out as it was, with nothing but our scopes behind it,
// and without a panic on the way. It meets a processor that has already flagged
// the leak of the seeds, so that flags are written too. Coverage differs from run
// to run with the order of maps, so fuzz with -fuzzminimizetime 10x, or all the
// time goes into making inputs smaller.
func FuzzConsume(f *testing.F) {
	now := epoch.Add(time.Hour)
	s := newScene("shop")
	flat := scene{service: "shop", start: epoch, flat: true}
	for _, md := range []pmetric.Metrics{
		minuteOf(now),
		s.counts(now, leaking("app.leak", "app.main", now, 3)),
		flat.census(now, leaking("app.leak", "app.main", now, 3)),
		minuteOf(now.AddDate(74, 0, 0)),
		pmetric.NewMetrics(),
	} {
		f.Add(marshal(f, md))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		md, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(data)
		if err != nil {
			return
		}
		p, err := newLeakDetect(defaultConfig(), processortest.NewNopSettings(metadata.Type))
		require.NoError(t, err)
		for at := epoch; at.Before(now); at = at.Add(time.Minute) {
			_, _ = p.process(t.Context(), minuteOf(at))
		}
		for range 2 {
			passOn(t, p, md)
		}
	})
}

// passOn processes a copy and compares it, our scopes aside, with the original.
func passOn(t *testing.T, p *leakDetect, md pmetric.Metrics) {
	in := pmetric.NewMetrics()
	md.CopyTo(in)
	out, err := p.process(t.Context(), in)
	require.NoError(t, err)
	require.Zero(t, p.failures.Load(), "panics")
	for i, rm := range out.ResourceMetrics().All() {
		n := 0
		before := md.ResourceMetrics().At(i).ScopeMetrics().Len()
		rm.ScopeMetrics().RemoveIf(func(sm pmetric.ScopeMetrics) bool {
			n++
			if n > before {
				require.Equal(t, metadata.ScopeName, sm.Scope().Name())
			}
			return n > before
		})
	}
	require.Equal(t, marshal(t, md), marshal(t, out))
}
