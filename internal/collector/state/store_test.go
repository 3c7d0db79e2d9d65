package state_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-goroutine/otel-goroutine/internal/collector/state"
	"github.com/otel-goroutine/otel-goroutine/internal/collector/state/statetest"
)

// statefulComponent is a component whose state is a text. It rejects the text "bad".
type statefulComponent struct {
	store    *state.Store
	text     string
	failures map[string]int // by operation
	logs     *observer.ObservedLogs
}

func newComponent() *statefulComponent {
	core, logs := observer.New(zap.InfoLevel)
	c := &statefulComponent{failures: make(map[string]int), logs: logs}
	c.store = state.NewStore(zap.New(core), func(_ context.Context, operation string) { c.failures[operation]++ })
	return c
}

func (c *statefulComponent) open(t *testing.T, host component.Host, id component.ID) error {
	return c.store.Open(t.Context(), host, id, component.KindProcessor, component.MustNewID("leak_detect"), func(data []byte) error {
		switch text := string(data); text {
		case "bad":
			return errors.New("not a state")
		case "panic":
			panic("index out of range")
		default:
			c.text = text
			return nil
		}
	})
}

func (c *statefulComponent) save(t *testing.T) bool {
	_, saved := c.store.Save(t.Context(), func() ([]byte, error) { return []byte(c.text), nil })
	return saved
}

func (c *statefulComponent) warnings() int { return c.logs.FilterLevelExact(zap.WarnLevel).Len() }

func TestStateSurvivesARestart(t *testing.T) {
	storage := statetest.New(nil)
	first := newComponent()
	require.NoError(t, first.open(t, statetest.NewHost(storage), statetest.ID))
	assert.Equal(t, 1, first.logs.FilterMessage("Starting without saved state").Len())
	first.text = "a leak"
	size, saved := first.store.Save(t.Context(), func() ([]byte, error) { return []byte(first.text), nil })
	assert.Equal(t, len(first.text), size)
	assert.True(t, saved)
	first.store.Close(t.Context())
	first.store.Close(t.Context())
	assert.Zero(t, storage.Clients())

	second := newComponent()
	require.NoError(t, second.open(t, statetest.NewHost(storage), statetest.ID))
	assert.Equal(t, "a leak", second.text)
	assert.Equal(t, 1, second.logs.FilterMessage("Restored the saved state").Len())
	second.store.Close(t.Context())
	assert.Zero(t, first.warnings()+second.warnings())
}

func TestWithoutStorage(t *testing.T) {
	c := newComponent()
	assert.False(t, c.store.IsOpen())
	assert.False(t, c.save(t))
	c.store.Close(t.Context())
	assert.Empty(t, c.failures)
}

func TestInvalidStateIsSetAside(t *testing.T) {
	for _, text := range []string{"bad", "panic"} {
		t.Run(text, func(t *testing.T) {
			storage := statetest.New(map[string][]byte{state.Key: []byte(text)})
			c := newComponent()
			require.NoError(t, c.open(t, statetest.NewHost(storage), statetest.ID))
			assert.Equal(t, map[string][]byte{state.AsideKey: []byte(text)}, storage.Data())
			assert.Equal(t, map[string]int{state.OperationLoad: 1}, c.failures)
			require.Equal(t, 1, c.warnings())
			assert.Contains(t, c.logs.All()[0].ContextMap()["error"], state.AsideKey)
			assert.True(t, c.save(t))
			assert.Len(t, storage.Data(), 2)
		})
	}
}

func TestInvalidStateCannotBeSetAside(t *testing.T) {
	storage := statetest.New(map[string][]byte{state.Key: []byte("bad")})
	storage.Fail = statetest.Failing(state.OperationSave, false).Fail
	c := newComponent()
	require.NoError(t, c.open(t, statetest.NewHost(storage), statetest.ID))
	assert.Equal(t, map[string]int{state.OperationLoad: 1, state.OperationSave: 1}, c.failures)
	assert.Equal(t, map[string][]byte{state.Key: []byte("bad")}, storage.Data())
}

func TestStorageFails(t *testing.T) {
	for name, tc := range map[string]struct {
		operation string
		panics    bool
		times     int
		left      int // clients that are not closed
	}{
		"open":         {state.OperationOpen, false, 1, 0},
		"open panics":  {state.OperationOpen, true, 1, 0},
		"load":         {state.OperationLoad, false, 1, 0},
		"load panics":  {state.OperationLoad, true, 1, 1}, // a storage that panicked is not closed
		"save":         {state.OperationSave, false, 3, 0},
		"save panics":  {state.OperationSave, true, 1, 1},
		"close":        {state.OperationClose, false, 1, 1},
		"close panics": {state.OperationClose, true, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			storage := statetest.Failing(tc.operation, tc.panics)
			c := newComponent()
			require.NoError(t, c.open(t, statetest.NewHost(storage), statetest.ID))
			for range 3 {
				assert.Equal(t, tc.operation == state.OperationClose, c.save(t))
			}
			c.store.Close(t.Context())
			assert.Equal(t, map[string]int{tc.operation: tc.times}, c.failures)
			assert.Equal(t, 1, c.warnings(), "an error is logged once")
			assert.Equal(t, tc.left, storage.Clients())
		})
	}
}

// A state that cannot be read may be intact.
func TestUnreadableStateIsNotOverwritten(t *testing.T) {
	storage := statetest.New(map[string][]byte{state.Key: []byte("a leak")})
	storage.Fail = statetest.Failing(state.OperationLoad, false).Fail
	c := newComponent()
	require.NoError(t, c.open(t, statetest.NewHost(storage), statetest.ID))
	assert.False(t, c.store.IsOpen())
	assert.False(t, c.save(t))
	assert.Equal(t, map[string][]byte{state.Key: []byte("a leak")}, storage.Data())
	assert.Zero(t, storage.Clients())
}

// A component that fails to encode its state loses a save, but not the storage.
func TestEncodingFails(t *testing.T) {
	storage := statetest.New(nil)
	c := newComponent()
	require.NoError(t, c.open(t, statetest.NewHost(storage), statetest.ID))
	for _, encode := range []func() ([]byte, error){
		func() ([]byte, error) { return nil, errors.New("not a number") },
		func() ([]byte, error) { panic("index out of range") },
	} {
		_, saved := c.store.Save(t.Context(), encode)
		assert.False(t, saved)
	}
	assert.Equal(t, map[string]int{state.OperationSave: 2}, c.failures)
	c.text = "a leak"
	assert.True(t, c.save(t))
	assert.Equal(t, 1, c.logs.FilterMessage("The state can be saved again").Len())
	c.store.Close(t.Context())
	assert.Zero(t, storage.Clients())
}
