package leakevents

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// FuzzMetrics reads any metrics, in any grouping.
func FuzzMetrics(f *testing.F) {
	data, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(leaking(2, 50).metrics(0))
	require.NoError(f, err)
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		md, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(data)
		if err != nil {
			return
		}
		book := defaultConfig().book()
		observe(book, md)
		to := plog.NewLogs()
		for _, c := range book.Advance(epoch) {
			appendRecord(to, c, epoch, defaultRunbookURL, "1.2.3")
		}
		for _, rl := range to.ResourceLogs().All() {
			record := rl.ScopeLogs().At(0).LogRecords().At(0)
			require.Equal(t, telemetry.EventLeak, record.EventName())
			require.NotEmpty(t, record.Body().Str())
		}
		_, err = encode(book, to)
		require.NoError(t, err)
	})
}

// FuzzState goes on from any state.
func FuzzState(f *testing.F) {
	book, waiting := defaultConfig().book(), plog.NewLogs()
	observe(book, leaking(2, 50).metrics(0))
	for _, c := range book.Advance(epoch) {
		appendRecord(waiting, c, epoch, defaultRunbookURL, "1.2.3")
	}
	data, err := encode(book, waiting)
	require.NoError(f, err)
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		book := defaultConfig().book()
		waiting, err := decode(data, book)
		if err != nil {
			return
		}
		_, err = encode(book, waiting)
		require.NoError(t, err)
	})
}
