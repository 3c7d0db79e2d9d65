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

// TestLimiter has the smallest limit hold, in the order of asking.
func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{}
		l.add(3)
		l.add(2)
		var given []int
		ask := func(n int) {
			go func() {
				assert.NoError(t, l.acquire(t.Context()))
				given = append(given, n)
			}()
			synctest.Wait()
		}
		for n := range 5 {
			ask(n)
		}
		require.Equal(t, []int{0, 1}, given, "two at most")
		l.release()
		synctest.Wait()
		require.Equal(t, []int{0, 1, 2}, given)
		l.remove(2)
		synctest.Wait()
		require.Equal(t, []int{0, 1, 2, 3}, given, "three at most, since the smaller limit is gone")
		l.add(1)
		l.release()
		l.release()
		synctest.Wait()
		require.Len(t, given, 4, "one at most, and one is held")

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, l.acquire(ctx), context.DeadlineExceeded)
		l.release()
		synctest.Wait()
		require.Len(t, given, 5, "what gave up takes no slot")
		l.release()
		require.Zero(t, l.held)
		require.Empty(t, l.waiting)
	})
}

// TestReceiversShareAPool has their limits come with Start and go with Shutdown, also where
// Shutdown gives up on a scrape.
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
	assert.Len(t, shared.decoding.limits, 2, "processors, and the receiver that is left")

	release := make(chan struct{})
	b.done.Go(func() { <-release })
	ended, end := context.WithCancel(t.Context())
	end()
	require.Error(t, b.Shutdown(ended))
	assert.Empty(t, shared.slots.limits)
	close(release)
	require.NoError(t, b.Shutdown(t.Context()))
}
