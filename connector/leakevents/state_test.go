package leakevents

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/otel-goroutine/otel-goroutine/connector/leakevents/internal/metadatatest"
	"github.com/otel-goroutine/otel-goroutine/internal/collector/state"
	"github.com/otel-goroutine/otel-goroutine/internal/collector/state/statetest"
)

func (r *rig) assertStateErrors(operation string, n int64) {
	r.t.Helper()
	metadatatest.AssertEqualConnectorLeakEventsStateErrors(r.t, r.telemetry, []metricdata.DataPoint[int64]{
		{Value: n, Attributes: attribute.NewSet(attribute.String("operation", operation))},
	}, metricdatatest.IgnoreTimestamp())
}

// TestStorageFails checks that a failing storage costs the state, but no event.
func TestStorageFails(t *testing.T) {
	for _, operation := range []string{state.OperationOpen, state.OperationLoad, state.OperationSave} {
		for _, panics := range []bool{false, true} {
			t.Run(operation, func(t *testing.T) {
				r := start(t, statetest.Failing(operation, panics))
				r.consume(leaking(2, 50).metrics(0))
				assert.Equal(t, []string{"detected"}, r.changes())
				n := int64(1)
				if operation == state.OperationSave && !panics {
					n = 2 // it is tried again after the event was sent
				}
				r.assertStateErrors(operation, n)
			})
		}
	}
}

func TestStorageFailsToClose(t *testing.T) {
	r := start(t, statetest.Failing(state.OperationClose, false))
	require.NoError(t, r.connector.Shutdown(t.Context()))
	r.assertStateErrors(state.OperationClose, 1)
}

func TestInvalidStateIsSetAside(t *testing.T) {
	for _, text := range []string{"", "{", `{"book":{"version":99}}`, `{"book":{"version":1},"waiting":"/w=="}`} {
		t.Run(text, func(t *testing.T) {
			storage := statetest.New(map[string][]byte{state.Key: []byte(text)})
			r := start(t, storage)
			assert.Equal(t, text, string(storage.Data()[state.AsideKey]))
			r.assertStateErrors(state.OperationLoad, 1)
			r.consume(leaking(2, 50).metrics(0))
			assert.Equal(t, []string{"detected"}, r.changes())
		})
	}
}

// TestSavedOnceAMinute checks that batches without an event are not saved at once.
func TestSavedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		storage := statetest.New(nil)
		r := start(t, storage)
		p := leaking(2, 50)
		p.severity = -1
		for second := range 300 {
			r.consume(p.metrics(second))
			time.Sleep(time.Second)
		}
		assert.Equal(t, 5, storage.Writes())
	})
}

func TestStorageNotStarted(t *testing.T) {
	c := newUnstarted(t).(*leakEvents)
	c.config.Storage = &statetest.ID
	require.ErrorContains(t, c.Start(t.Context(), statetest.Host{}), `'storage': extension "file_storage" is not started`)
}

// TestPanic makes the Tracker panic. The batch is lost and counted.
func TestPanic(t *testing.T) {
	r := start(t, nil)
	r.connector.(*leakEvents).tracker = nil
	r.consume(leaking(2, 50).metrics(0))
	assert.Empty(t, r.changes())
	assert.Len(t, r.logs.FilterMessageSnippet("report this defect").All(), 1)
}
