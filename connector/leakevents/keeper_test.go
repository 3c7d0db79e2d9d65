package leakevents

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/otel-goroutine/otel-goroutine/connector/leakevents/internal/metadatatest"
)

func (r *rig) assertStateErrors(operation string, n int64) {
	r.t.Helper()
	metadatatest.AssertEqualConnectorLeakEventsStateErrors(r.t, r.telemetry, []metricdata.DataPoint[int64]{
		{Value: n, Attributes: attribute.NewSet(attribute.String("operation", operation))},
	}, metricdatatest.IgnoreTimestamp())
}

// failingAt has an operation of the storage fail, or panic.
func failingAt(operation string, panics bool) *memory {
	m := newMemory()
	m.fail = func(tried string) error {
		if tried != operation {
			return nil
		}
		if panics {
			panic("the file is cut")
		}
		return errors.New("the disk is full")
	}
	return m
}

// TestStorageFails costs the memory, and no event.
func TestStorageFails(t *testing.T) {
	for operation, counted := range map[string]string{"open": operationOpen, "get": operationLoad, "set": operationSave} {
		for _, panics := range []bool{false, true} {
			t.Run(operation, func(t *testing.T) {
				r := start(t, failingAt(operation, panics))
				r.consume(leaking(2, 50).metrics(0))
				assert.Equal(t, []string{"detected"}, r.changes())
				n := int64(1)
				if operation == "set" && !panics {
					n = 2 // it is tried again after the event has left
				}
				r.assertStateErrors(counted, n)
				assert.Len(t, r.logs.FilterMessageSnippet("could not be kept").All(), 1, "logged once")
			})
		}
	}
}

func TestStorageFailsAtTheEnd(t *testing.T) {
	r := start(t, failingAt("close", false))
	require.NoError(t, r.connector.Shutdown(t.Context()))
	r.assertStateErrors(operationClose, 1)
}

// TestStateOfNoUse sets aside what cannot be used, and begins afresh.
func TestStateOfNoUse(t *testing.T) {
	for _, state := range []string{"", "{", `{"book":{"version":99}}`, `{"book":{"version":1},"waiting":"/w=="}`} {
		t.Run(state, func(t *testing.T) {
			kept := newMemory()
			kept.data[stateKey] = []byte(state)
			r := start(t, kept)
			assert.Equal(t, state, string(kept.data[asideKey]))
			r.assertStateErrors(operationLoad, 1)
			r.consume(leaking(2, 50).metrics(0))
			assert.Equal(t, []string{"detected"}, r.changes())
		})
	}
}

// TestSavedOnceAMinute keeps what no event is about, but not with each batch.
func TestSavedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := newMemory()
		saves := 0
		kept.fail = func(operation string) error {
			if operation == "set" {
				saves++
			}
			return nil
		}
		r := start(t, kept)
		p := leaking(2, 50)
		p.severity = -1
		for second := range 300 {
			r.consume(p.metrics(second))
			time.Sleep(time.Second)
		}
		assert.Equal(t, 5, saves)
	})
}

func TestNoSuchStorage(t *testing.T) {
	for name, extensions := range map[string]host{
		`extension "memory" is not started: add it to service::extensions`: {},
		`extension "memory" is no storage`: {storageID: struct {
			component.StartFunc
			component.ShutdownFunc
		}{}},
	} {
		c := newUnstarted(t).(*leakEvents)
		c.config.Storage = &storageID
		require.ErrorContains(t, c.Start(t.Context(), extensions), name)
	}
}

// TestAPanicEndsNothing has the book panic: the batch is lost, and counted.
func TestAPanicEndsNothing(t *testing.T) {
	r := start(t, nil)
	r.connector.(*leakEvents).book = nil
	r.consume(leaking(2, 50).metrics(0))
	assert.Empty(t, r.changes())
	assert.Len(t, r.logs.FilterMessageSnippet("report this defect").All(), 1)
}
