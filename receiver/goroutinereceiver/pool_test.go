package goroutinereceiver

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// TestLimiter checks that the smallest limit applies, and that slots are granted in order.
func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{}
		l.add(3)
		l.add(2)
		var granted []int
		ask := func(n int) {
			go func() {
				assert.NoError(t, l.acquire(t.Context()))
				granted = append(granted, n)
			}()
			synctest.Wait()
		}
		for n := range 5 {
			ask(n)
		}
		require.Equal(t, []int{0, 1}, granted, "at most two")
		l.release()
		synctest.Wait()
		require.Equal(t, []int{0, 1, 2}, granted)
		l.remove(2)
		synctest.Wait()
		require.Equal(t, []int{0, 1, 2, 3}, granted, "at most three, since the smaller limit is removed")
		l.add(1)
		l.release()
		l.release()
		synctest.Wait()
		require.Len(t, granted, 4, "at most one, and one is held")

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, l.acquire(ctx), context.DeadlineExceeded)
		l.release()
		synctest.Wait()
		require.Len(t, granted, 5, "the canceled caller takes no slot")
		l.release()
		require.Zero(t, l.held)
		require.Empty(t, l.waiting)
	})
}

// TestReceiversShareAPool checks that Start adds the limits of a receiver, and that Shutdown
// removes them, even if a scrape does not end.
func TestReceiversShareAPool(t *testing.T) {
	shared := newPool()
	receiver := func(limit int) *goroutineReceiver {
		cfg := testConfig(targetAt(unusedAddress(t)))
		cfg.CollectionInterval, cfg.MaxConcurrentScrapes = time.Hour, limit
		r, err := newReceiver(cfg, shared, receivertest.NewNopSettings(metadata.Type))
		require.NoError(t, err)
		return r
	}
	a, b := receiver(5), receiver(3)
	assert.Empty(t, shared.slots.limits, "before Start")
	require.NoError(t, a.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, b.Start(t.Context(), componenttest.NewNopHost()))
	assert.ElementsMatch(t, []int{5, 3}, shared.slots.limits)
	require.NoError(t, a.Shutdown(t.Context()))
	require.NoError(t, a.Shutdown(t.Context()))
	assert.Equal(t, []int{3}, shared.slots.limits)
	assert.Len(t, shared.decoding.limits, 2, "processors, and the remaining receiver")

	release := make(chan struct{})
	b.goroutines.Go(func() { <-release })
	ended, end := context.WithCancel(t.Context())
	end()
	require.Error(t, b.Shutdown(ended))
	assert.Empty(t, shared.slots.limits)
	close(release)
	require.NoError(t, b.Shutdown(t.Context()))
}
