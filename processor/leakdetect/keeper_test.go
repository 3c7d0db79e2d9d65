package leakdetect

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadatatest"
)

// disk is a storage extension, and all of its clients.
type disk struct {
	component.StartFunc
	component.ShutdownFunc
	mu      sync.Mutex
	data    map[string][]byte
	open    int
	written int
	fail    func(operation string) error
}

func newDisk() *disk {
	return &disk{data: map[string][]byte{}, fail: func(string) error { return nil }}
}

func (d *disk) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	if err := d.fail("open"); err != nil {
		return nil, err
	}
	d.open++
	return d, nil
}

func (d *disk) Get(_ context.Context, key string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.data[key], d.fail("get")
}

func (d *disk) Set(_ context.Context, key string, value []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.fail("set"); err != nil {
		return err
	}
	d.data[key] = value
	d.written++
	return nil
}

func (d *disk) Delete(_ context.Context, key string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.data, key)
	return nil
}

func (d *disk) Batch(ctx context.Context, operations ...*storage.Operation) error {
	for _, o := range operations {
		switch o.Type {
		case storage.Set:
			_ = d.Set(ctx, o.Key, o.Value)
		case storage.Delete:
			_ = d.Delete(ctx, o.Key)
		}
	}
	return nil
}

func (d *disk) Close(context.Context) error {
	if err := d.fail("close"); err != nil {
		return err
	}
	d.open--
	return nil
}

// writes returns how often something was stored.
func (d *disk) writes() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.written
}

// copy returns what is stored, by key.
func (d *disk) copy() map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.data)
}

// host has the disk as extension file_storage, and another that is no storage.
type host struct {
	extensions map[component.ID]component.Component
}

func hostWith(d *disk) host {
	return host{map[component.ID]component.Component{
		component.MustNewID("file_storage"): d,
		component.MustNewID("zpages"):       struct{ component.Component }{},
	}}
}

func (h host) GetExtensions() map[component.ID]component.Component { return h.extensions }

// kept is a processor whose memory is kept.
type kept struct {
	*leakDetect
	logs      *observer.ObservedLogs
	telemetry *componenttest.Telemetry
}

func keptOn(t *testing.T, d *disk, change ...func(*Config)) *kept {
	t.Helper()
	k := &kept{telemetry: componenttest.NewTelemetry()}
	t.Cleanup(func() { require.NoError(t, k.telemetry.Shutdown(context.Background())) })
	c := defaultConfig()
	id := component.MustNewID("file_storage")
	c.Storage = &id
	for _, f := range change {
		f(c)
	}
	set := metadatatest.NewSettings(k.telemetry)
	core, logs := observer.New(zap.InfoLevel)
	set.Logger, k.logs = zap.New(core), logs
	var err error
	k.leakDetect, err = newLeakDetect(c, set)
	require.NoError(t, err)
	require.NoError(t, k.start(t.Context(), hostWith(d)))
	return k
}

func (k *kept) errors(operation string) int64 {
	return sums(k.telemetry, "state_errors", "operation")[detect.Reason(operation)]
}

func TestMemoryOutlivesARestart(t *testing.T) {
	d := newDisk()
	k := keptOn(t, d)
	for minute := range 120 {
		live(k.leakDetect, minute)
	}
	streams := k.watch.size()
	require.NoError(t, k.shutdown(t.Context()))
	require.NoError(t, k.shutdown(t.Context()), "twice")
	assert.Zero(t, d.open)

	k = keptOn(t, d)
	assert.Equal(t, streams, k.watch.size())
	assert.Equal(t, "Goes on from what was remembered", k.logs.All()[0].Message)
	for _, f := range live(k.leakDetect, 120) {
		assert.LessOrEqual(t, f.Severity, f.Was)
		assert.NotZero(t, f.Severity)
	}
	require.NoError(t, k.shutdown(t.Context()))
}

// A process that is killed never comes to Shutdown.
func TestACrashCostsAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		k := keptOn(t, d)
		for minute := range 120 {
			live(k.leakDetect, minute)
		}
		time.Sleep(saveInterval)
		synctest.Wait()
		crashed := newDisk()
		crashed.data = d.copy()
		time.Sleep(10 * saveInterval)
		synctest.Wait()
		assert.Equal(t, 1, d.writes(), "it is written again though nothing new was seen")
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
		d := newDisk()
		k := keptOn(t, d)
		saving := 0 // leaks that were logged when the state was written
		d.fail = func(operation string) error {
			if operation == "set" {
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
		crashed := newDisk()
		crashed.data = d.copy()
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
		d := newDisk()
		k := keptOn(t, d)
		for minute := range 3 * 60 {
			k.tell(t, minute)
			time.Sleep(time.Millisecond)
		}
		require.Equal(t, 1, d.writes(), "after the first batch, all in less than a second")
		require.Zero(t, k.leakTold())
		time.Sleep(minRest - time.Second)
		synctest.Wait()
		assert.Equal(t, 1, d.writes())
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, 2, d.writes())
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
	for _, fails := range []string{"open", "get", "set"} {
		t.Run(fails, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDisk()
				d.fail = func(operation string) error {
					if operation == fails {
						return errors.New("no space left on device")
					}
					return nil
				}
				k := keptOn(t, d)
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

func TestWhatCannotBeUsedIsSetAside(t *testing.T) {
	d := newDisk()
	d.data[stateKey] = []byte("leak_detect?")
	k := keptOn(t, d)
	assert.Equal(t, map[string][]byte{asideKey: []byte("leak_detect?")}, d.copy())
	require.Len(t, k.logs.All(), 1)
	assert.Contains(t, k.logs.All()[0].ContextMap()["error"], "set aside")
	assert.EqualValues(t, 1, k.errors(operationLoad))
	live(k.leakDetect, 0)
	require.NoError(t, k.shutdown(t.Context()))
	assert.Len(t, d.copy(), 2)
}

func TestAFailingStorageCostsNoData(t *testing.T) {
	full := errors.New("no space left on device")
	for name, tc := range map[string]struct {
		fails     string
		panics    bool
		operation string
		times     int64
	}{
		"open":         {"open", false, operationOpen, 1},
		"open, panics": {"open", true, operationOpen, 1},
		"get":          {"get", false, operationLoad, 1},
		"set":          {"set", false, operationSave, 4},
		"set, panics":  {"set", true, operationSave, 1}, // it is not used again
		"get, panics":  {"get", true, operationLoad, 1},
		"close":        {"close", false, operationClose, 1},
		"close panics": {"close", true, operationClose, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDisk()
				d.fail = func(operation string) error {
					switch {
					case operation != tc.fails:
						return nil
					case tc.panics:
						panic(full)
					}
					return full
				}
				k := keptOn(t, d)
				for minute := range 3 {
					assert.NotNil(t, k.judge(t.Context(), minuteOf(epoch.Add(time.Duration(minute)*time.Minute))))
					time.Sleep(saveInterval)
					synctest.Wait()
				}
				require.NoError(t, k.shutdown(t.Context()))
				assert.Equal(t, tc.times, k.errors(tc.operation))
				warnings := k.logs.FilterLevelExact(zap.WarnLevel).All()
				require.Len(t, warnings, 1, "it is told once")
				assert.Contains(t, warnings[0].ContextMap()["error"], full.Error())
				assert.Equal(t, tc.panics && tc.fails != "open" || tc.fails == "close", d.open > 0, "what panicked is not closed")
			})
		})
	}
}

// A storage that cannot be read keeps what is in it: that may be whole.
func TestWhatCannotBeReadIsNotWrittenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		require.NoError(t, d.Set(t.Context(), stateKey, []byte("perhaps whole")))
		d.fail = func(operation string) error {
			if operation == "get" {
				return errors.New("input/output error")
			}
			return nil
		}
		k := keptOn(t, d)
		for minute := range 3 {
			k.judge(t.Context(), minuteOf(epoch.Add(time.Duration(minute)*time.Minute)))
			time.Sleep(saveInterval)
			synctest.Wait()
		}
		require.NoError(t, k.shutdown(t.Context()))
		assert.Equal(t, map[string][]byte{stateKey: []byte("perhaps whole")}, d.copy())
	})
}

// Whoever sends the data chooses the length of names. The log has their beginning.
func TestNamesInTheLogAreCut(t *testing.T) {
	assert.Equal(t, "app.main", cut("app.main"))
	long := cut(strings.Repeat("é", maxLogged))
	assert.LessOrEqual(t, len(long), maxLogged+len("..."))
	assert.True(t, utf8.ValidString(long))
}
