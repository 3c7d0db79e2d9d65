package leakdetect

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-goroutine/otel-goroutine/internal/collector/state"
	"github.com/otel-goroutine/otel-goroutine/internal/collector/state/statetest"
	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadatatest"
)

// persistentProcessor is a processor with a storage.
type persistentProcessor struct {
	*leakDetect
	logs      *observer.ObservedLogs
	telemetry *componenttest.Telemetry
}

func newPersistent(t *testing.T, storage *statetest.Storage, change ...func(*Config)) *persistentProcessor {
	t.Helper()
	k := &persistentProcessor{telemetry: componenttest.NewTelemetry()}
	t.Cleanup(func() { require.NoError(t, k.telemetry.Shutdown(context.Background())) })
	c := defaultConfig()
	c.Storage = &statetest.ID
	for _, f := range change {
		f(c)
	}
	set := metadatatest.NewSettings(k.telemetry)
	core, logs := observer.New(zap.InfoLevel)
	set.Logger, k.logs = zap.New(core), logs
	var err error
	k.leakDetect, err = newLeakDetect(c, set)
	require.NoError(t, err)
	require.NoError(t, k.start(t.Context(), statetest.NewHost(storage)))
	return k
}

func (k *persistentProcessor) errors(operation string) int64 {
	return sums(k.telemetry, "state_errors", "operation")[detect.Reason(operation)]
}

func TestStateSurvivesRestart(t *testing.T) {
	storage := statetest.New(nil)
	k := newPersistent(t, storage)
	for minute := range 120 {
		judgeMinute(k.leakDetect, minute)
	}
	streams := k.tracker.size()
	require.NoError(t, k.shutdown(t.Context()))
	require.NoError(t, k.shutdown(t.Context()), "twice")
	assert.Zero(t, storage.Clients())

	k = newPersistent(t, storage)
	assert.Equal(t, streams, k.tracker.size())
	assert.Equal(t, "Restored the saved state", k.logs.All()[0].Message)
	for _, f := range judgeMinute(k.leakDetect, 120) {
		assert.LessOrEqual(t, f.Severity, f.Was)
		assert.NotZero(t, f.Severity)
	}
	require.NoError(t, k.shutdown(t.Context()))
}

// TestCrashLosesAMinute checks that the state is saved without Shutdown.
func TestCrashLosesAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		storage := statetest.New(nil)
		k := newPersistent(t, storage)
		for minute := range 120 {
			judgeMinute(k.leakDetect, minute)
		}
		time.Sleep(saveInterval)
		synctest.Wait()
		crashed := statetest.New(storage.Data())
		time.Sleep(10 * saveInterval)
		synctest.Wait()
		assert.Equal(t, 1, storage.Writes(), "saved again although it has not changed")
		require.NoError(t, k.shutdown(t.Context()))

		k = newPersistent(t, crashed)
		assert.NotEmpty(t, judgeMinute(k.leakDetect, 121))
		require.NoError(t, k.shutdown(t.Context()))
	})
}

// leaksLogged returns how many lines about leaks were logged.
func (k *persistentProcessor) leaksLogged() int {
	return k.logs.Filter(func(e observer.LoggedEntry) bool { return strings.HasPrefix(e.Message, "Leak ") }).Len()
}

// processMinute processes a minute of a leak.
func (k *persistentProcessor) processMinute(t *testing.T, minute int) {
	t.Helper()
	at := epoch.Add(time.Duration(minute) * time.Minute)
	_, err := k.process(t.Context(), newFakeProcess("shop").census(at, leaking("app.leak", "app.main", at, 1)))
	require.NoError(t, err)
}

// TestLeakIsSavedBeforeItIsLogged checks that a leak is not logged again if the collector is killed
// after it was logged.
func TestLeakIsSavedBeforeItIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		storage := statetest.New(nil)
		k := newPersistent(t, storage)
		saving := 0 // leaks that were logged when the state was written
		storage.Fail = func(operation string) error {
			if operation == state.OperationSave {
				saving += k.leaksLogged()
			}
			return nil
		}
		minute := 0
		for ; k.leaksLogged() == 0; minute++ {
			k.processMinute(t, minute)
			time.Sleep(minRest)
			synctest.Wait()
		}
		require.Less(t, minute, 2*60)
		assert.Zero(t, saving)
		crashed := statetest.New(storage.Data())
		require.NoError(t, k.shutdown(t.Context()))

		next := newPersistent(t, crashed)
		next.processMinute(t, minute)
		require.NoError(t, next.shutdown(t.Context()))
		assert.Zero(t, next.leaksLogged(), "logged again")
	})
}

// TestChangesAreNotSavedTooOften checks that changes soon after a save are saved after minRest.
func TestChangesAreNotSavedTooOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		storage := statetest.New(nil)
		k := newPersistent(t, storage)
		for minute := range 3 * 60 {
			k.processMinute(t, minute)
			time.Sleep(time.Millisecond)
		}
		require.Equal(t, 1, storage.Writes(), "after the first batch, all in less than a second")
		require.Zero(t, k.leaksLogged())
		time.Sleep(minRest - time.Second)
		synctest.Wait()
		assert.Equal(t, 1, storage.Writes())
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, 2, storage.Writes())
		assert.Equal(t, 2, k.leaksLogged(), "first suspected, then probable")
		require.NoError(t, k.shutdown(t.Context()))
	})
}

func TestRestGrowsWithTheState(t *testing.T) {
	for size, want := range map[int]time.Duration{
		0:         minRest,
		10 << 20:  5 * time.Second,
		36 << 20:  18 * time.Second,
		350 << 20: 175 * time.Second,
	} {
		assert.Equal(t, want, restAfter(size), "%d bytes", size)
	}
}

// TestLeakIsLoggedWithoutStorage checks that a leak is logged even if the storage fails.
func TestLeakIsLoggedWithoutStorage(t *testing.T) {
	for _, operation := range []string{state.OperationOpen, state.OperationLoad, state.OperationSave} {
		t.Run(operation, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newPersistent(t, statetest.Failing(operation, false))
				for minute := range 3 * 60 {
					k.processMinute(t, minute)
				}
				time.Sleep(minRest)
				synctest.Wait()
				assert.Positive(t, k.leaksLogged())
				require.NoError(t, k.shutdown(t.Context()))
			})
		})
	}
}

// TestLogQueueIsBounded checks that lines beyond the limit are logged at once.
func TestLogQueueIsBounded(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	q := logQueue{logger: zap.New(core)}
	q.hold(true)
	for range maxQueued + 1 {
		q.log([]logLine{{message: "Leak probable"}})
	}
	assert.Equal(t, 1, logs.Len())
	q.write(q.drain())
	assert.Equal(t, maxQueued+1, logs.Len())
}

func TestInvalidStateIsSetAside(t *testing.T) {
	storage := statetest.New(map[string][]byte{state.Key: []byte("leak_detect?")})
	k := newPersistent(t, storage)
	assert.Equal(t, map[string][]byte{state.AsideKey: []byte("leak_detect?")}, storage.Data())
	assert.EqualValues(t, 1, k.errors(state.OperationLoad))
	judgeMinute(k.leakDetect, 0)
	require.NoError(t, k.shutdown(t.Context()))
	assert.Len(t, storage.Data(), 2)
}

func TestFailingStorageLosesNoData(t *testing.T) {
	for name, tc := range map[string]struct {
		operation string
		panics    bool
		times     int64
	}{
		"open":        {state.OperationOpen, false, 1},
		"open panics": {state.OperationOpen, true, 1},
		"load":        {state.OperationLoad, false, 1},
		"save":        {state.OperationSave, false, 4},
		"save panics": {state.OperationSave, true, 1}, // not used again
		"close":       {state.OperationClose, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newPersistent(t, statetest.Failing(tc.operation, tc.panics))
				for minute := range 3 {
					assert.NotNil(t, k.judge(t.Context(), sampleBatch(epoch.Add(time.Duration(minute)*time.Minute))))
					time.Sleep(saveInterval)
					synctest.Wait()
				}
				require.NoError(t, k.shutdown(t.Context()))
				assert.Equal(t, tc.times, k.errors(tc.operation))
			})
		})
	}
}

// TestLoggedNamesAreTruncated checks names of any length, as a sender may choose them.
func TestLoggedNamesAreTruncated(t *testing.T) {
	assert.Equal(t, "app.main", truncate("app.main"))
	long := truncate(strings.Repeat("é", maxLogged))
	assert.LessOrEqual(t, len(long), maxLogged+len("..."))
	assert.True(t, utf8.ValidString(long))
}
