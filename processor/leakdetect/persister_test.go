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

// kept is a processor whose memory is kept.
type kept struct {
	*leakDetect
	logs      *observer.ObservedLogs
	telemetry *componenttest.Telemetry
}

func keptOn(t *testing.T, storage *statetest.Storage, change ...func(*Config)) *kept {
	t.Helper()
	k := &kept{telemetry: componenttest.NewTelemetry()}
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

func (k *kept) errors(operation string) int64 {
	return sums(k.telemetry, "state_errors", "operation")[detect.Reason(operation)]
}

func TestMemoryOutlivesARestart(t *testing.T) {
	storage := statetest.New(nil)
	k := keptOn(t, storage)
	for minute := range 120 {
		live(k.leakDetect, minute)
	}
	streams := k.watch.size()
	require.NoError(t, k.shutdown(t.Context()))
	require.NoError(t, k.shutdown(t.Context()), "twice")
	assert.Zero(t, storage.Clients())

	k = keptOn(t, storage)
	assert.Equal(t, streams, k.watch.size())
	assert.Equal(t, "Restored the saved state", k.logs.All()[0].Message)
	for _, f := range live(k.leakDetect, 120) {
		assert.LessOrEqual(t, f.Severity, f.Was)
		assert.NotZero(t, f.Severity)
	}
	require.NoError(t, k.shutdown(t.Context()))
}

// A process that is killed never comes to Shutdown.
func TestACrashCostsAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		storage := statetest.New(nil)
		k := keptOn(t, storage)
		for minute := range 120 {
			live(k.leakDetect, minute)
		}
		time.Sleep(saveInterval)
		synctest.Wait()
		crashed := statetest.New(storage.Data())
		time.Sleep(10 * saveInterval)
		synctest.Wait()
		assert.Equal(t, 1, storage.Writes(), "it is written again though nothing new was seen")
		require.NoError(t, k.shutdown(t.Context()))

		k = keptOn(t, crashed)
		assert.NotEmpty(t, live(k.leakDetect, 121))
		require.NoError(t, k.shutdown(t.Context()))
	})
}

// leakTold returns how often a leak was logged.
func (k *kept) leakTold() int {
	return k.logs.Filter(func(e observer.LoggedEntry) bool { return strings.HasPrefix(e.Message, "Leak ") }).Len()
}

// tell has the processor live through a minute as in live, and log what it found.
func (k *kept) tell(t *testing.T, minute int) {
	t.Helper()
	at := epoch.Add(time.Duration(minute) * time.Minute)
	_, err := k.process(t.Context(), newScene("shop").census(at, leaking("app.leak", "app.main", at, 1)))
	require.NoError(t, err)
}

// A collector may be killed at any moment. When a leak is logged it is kept already, so
// that the next life does not log it again.
func TestALeakIsKeptBeforeItIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		storage := statetest.New(nil)
		k := keptOn(t, storage)
		saving := 0 // leaks that were logged when the state was written
		storage.Fail = func(operation string) error {
			if operation == state.OperationSave {
				saving += k.leakTold()
			}
			return nil
		}
		minute := 0
		for ; k.leakTold() == 0; minute++ {
			k.tell(t, minute)
			time.Sleep(minRest)
			synctest.Wait()
		}
		require.Less(t, minute, 2*60)
		assert.Zero(t, saving)
		crashed := statetest.New(storage.Data())
		require.NoError(t, k.shutdown(t.Context()))

		next := keptOn(t, crashed)
		next.tell(t, minute)
		require.NoError(t, next.shutdown(t.Context()))
		assert.Zero(t, next.leakTold(), "it is logged again")
	})
}

// What changes while the state was saved just before waits for its turn.
func TestChangesAreNotSavedTooOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		storage := statetest.New(nil)
		k := keptOn(t, storage)
		for minute := range 3 * 60 {
			k.tell(t, minute)
			time.Sleep(time.Millisecond)
		}
		require.Equal(t, 1, storage.Writes(), "after the first batch, all in less than a second")
		require.Zero(t, k.leakTold())
		time.Sleep(minRest - time.Second)
		synctest.Wait()
		assert.Equal(t, 1, storage.Writes())
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, 2, storage.Writes())
		assert.Equal(t, 2, k.leakTold(), "first suspected, then probable")
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

// A leak is told even if it cannot be kept.
func TestALeakIsLoggedThoughNothingCanBeKept(t *testing.T) {
	for _, operation := range []string{state.OperationOpen, state.OperationLoad, state.OperationSave} {
		t.Run(operation, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := keptOn(t, statetest.Failing(operation, false))
				for minute := range 3 * 60 {
					k.tell(t, minute)
				}
				time.Sleep(minRest)
				synctest.Wait()
				assert.Positive(t, k.leakTold())
				require.NoError(t, k.shutdown(t.Context()))
			})
		})
	}
}

// What waits is bounded.
func TestNewsDoNotPileUp(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	n := news{log: zap.New(core)}
	n.keep(true)
	for range maxWaiting + 1 {
		n.tell([]line{{message: "Leak probable"}})
	}
	assert.Equal(t, 1, logs.Len())
	n.print(n.take())
	assert.Equal(t, maxWaiting+1, logs.Len())
}

func TestAStateThatIsRefusedIsSetAside(t *testing.T) {
	storage := statetest.New(map[string][]byte{state.Key: []byte("leak_detect?")})
	k := keptOn(t, storage)
	assert.Equal(t, map[string][]byte{state.AsideKey: []byte("leak_detect?")}, storage.Data())
	assert.EqualValues(t, 1, k.errors(state.OperationLoad))
	live(k.leakDetect, 0)
	require.NoError(t, k.shutdown(t.Context()))
	assert.Len(t, storage.Data(), 2)
}

func TestAFailingStorageCostsNoData(t *testing.T) {
	for name, tc := range map[string]struct {
		operation string
		panics    bool
		times     int64
	}{
		"open":        {state.OperationOpen, false, 1},
		"open panics": {state.OperationOpen, true, 1},
		"load":        {state.OperationLoad, false, 1},
		"save":        {state.OperationSave, false, 4},
		"save panics": {state.OperationSave, true, 1}, // it is not used again
		"close":       {state.OperationClose, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := keptOn(t, statetest.Failing(tc.operation, tc.panics))
				for minute := range 3 {
					assert.NotNil(t, k.judge(t.Context(), minuteOf(epoch.Add(time.Duration(minute)*time.Minute))))
					time.Sleep(saveInterval)
					synctest.Wait()
				}
				require.NoError(t, k.shutdown(t.Context()))
				assert.Equal(t, tc.times, k.errors(tc.operation))
			})
		})
	}
}

// The sender chooses the length of names. The log has their beginning.
func TestNamesInTheLogAreCut(t *testing.T) {
	assert.Equal(t, "app.main", cut("app.main"))
	long := cut(strings.Repeat("é", maxLogged))
	assert.LessOrEqual(t, len(long), maxLogged+len("..."))
	assert.True(t, utf8.ValidString(long))
}
