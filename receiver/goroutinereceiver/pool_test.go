package goroutinereceiver

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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

// TestReceiversOfAFactoryShareAPool has their limits come with Start and go with Shutdown.
func TestReceiversOfAFactoryShareAPool(t *testing.T) {
	shared := newPool()
	leave := shared.join(5)
	shared.join(3)
	assert.ElementsMatch(t, []int{5, 3}, shared.slots.limits)
	leave()
	leave()
	assert.Equal(t, []int{3}, shared.slots.limits)
	assert.Len(t, shared.decoding.limits, 2, "processors, and the receiver that is left")
}
