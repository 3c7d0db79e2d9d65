package leakevents

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// FuzzMetrics reads any metrics.
func FuzzMetrics(f *testing.F) {
	data, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(leaking(2, 50).metrics(0))
	require.NoError(f, err)
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		md, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(data)
		if err != nil {
			return
		}
		e := newUnstarted(t).(*leakEvents)
		e.read(t.Context(), md, epoch)
		for _, rl := range e.waiting.ResourceLogs().All() {
			record := rl.ScopeLogs().At(0).LogRecords().At(0)
			require.Equal(t, telemetry.EventLeak, record.EventName())
			require.NotEmpty(t, record.Body().Str())
		}
		_, err = e.encode()
		require.NoError(t, err)
	})
}

// FuzzState restores any state.
func FuzzState(f *testing.F) {
	e := newUnstarted(f).(*leakEvents)
	e.read(f.Context(), leaking(2, 50).metrics(0), epoch) // its event waits
	data, err := e.encode()
	require.NoError(f, err)
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		e := newUnstarted(t).(*leakEvents)
		if e.restore(data) != nil {
			return
		}
		_, err := e.encode()
		require.NoError(t, err)
	})
}
