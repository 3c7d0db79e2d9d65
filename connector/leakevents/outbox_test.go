package leakevents

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/otel-goroutine/otel-goroutine/connector/leakevents/internal/metadatatest"
	"github.com/otel-goroutine/otel-goroutine/internal/collector/state"
	"github.com/otel-goroutine/otel-goroutine/internal/collector/state/statetest"
)

// refusing makes the next consumer return *err, and accept if that is nil.
func refusing(err *error) func(*rig) consumer.Logs {
	return func(r *rig) consumer.Logs {
		next, err := consumer.NewLogs(func(ctx context.Context, ld plog.Logs) error {
			if *err != nil {
				return *err
			}
			return r.sink.ConsumeLogs(ctx, ld)
		})
		require.NoError(r.t, err)
		return next
	}
}

// TestRefused checks that refused events wait, also over a restart.
func TestRefused(t *testing.T) {
	storage := statetest.New(nil)
	refusal := errors.New("the backend is down")
	r := start(t, storage, refusing(&refusal))
	r.consume(leaking(1, 50).metrics(0))
	r.consume(leaking(2, 51).metrics(1))
	assert.Empty(t, r.changes())
	assert.Len(t, r.logs.FilterMessageSnippet("wait").All(), 1, "logged once")
	r.stop()

	refusal = nil
	r = start(t, storage, refusing(&refusal))
	r.consume(leaking(2, 52).metrics(2))
	assert.Equal(t, []string{"detected", "raised"}, r.changes())
	r.consume(leaking(2, 53).metrics(3))
	assert.Len(t, r.changes(), 2, "sent once")
}

// TestRefusedPermanently checks that events are dropped if they are refused permanently.
func TestRefusedPermanently(t *testing.T) {
	refusal := consumererror.NewPermanent(errors.New("malformed"))
	r := start(t, nil, refusing(&refusal))
	r.consume(leaking(1, 50).metrics(0))
	refusal = nil
	r.consume(leaking(2, 51).metrics(1))
	assert.Equal(t, []string{"raised"}, r.changes())
	metadatatest.AssertEqualConnectorLeakEventsLostRecords(t, r.telemetry,
		[]metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp())
}

// TestTooManyWait checks that the oldest events are dropped.
func TestTooManyWait(t *testing.T) {
	refusal := errors.New("the backend is down")
	r := start(t, nil, refusing(&refusal))
	for minute := range maxWaiting + 10 {
		r.consume(leaking(1+minute%2, 50).metrics(minute))
	}
	refusal = nil
	r.consume(leaking(3, 50).metrics(2 * maxWaiting))
	got := r.changes()
	require.Len(t, got, maxWaiting)
	assert.Equal(t, "raised", got[maxWaiting-1])
	metadatatest.AssertEqualConnectorLeakEventsLostRecords(t, r.telemetry,
		[]metricdata.DataPoint[int64]{{Value: 11}}, metricdatatest.IgnoreTimestamp())
}

// TestNextIsCalledWithoutTheLock checks that a slow backend blocks no sender, and that events stay in
// order.
func TestNextIsCalledWithoutTheLock(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	var once sync.Once
	r := start(t, nil, func(r *rig) consumer.Logs {
		next, err := consumer.NewLogs(func(ctx context.Context, ld plog.Logs) error {
			once.Do(func() {
				close(entered)
				<-leave
			})
			return r.sink.ConsumeLogs(ctx, ld)
		})
		require.NoError(t, err)
		return next
	})
	var slow sync.WaitGroup
	slow.Go(func() { assert.NoError(t, r.connector.ConsumeMetrics(t.Context(), leaking(1, 50).metrics(0))) })
	<-entered
	r.consume(leaking(2, 51).metrics(1)) // returns at once
	r.consume(leaking(3, 52).metrics(2))
	assert.Empty(t, r.changes())
	close(leave)
	slow.Wait()
	assert.Equal(t, []string{"detected", "raised", "raised"}, r.changes())
}

// TestConcurrentSenders has concurrent senders, each with a leak.
func TestConcurrentSenders(t *testing.T) {
	r := start(t, statetest.New(nil))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for minute := range 50 {
				md := leaking(2, 50+minute).metrics(minute)
				md.ResourceMetrics().At(0).Resource().Attributes().PutStr("service.name", fmt.Sprint("shop-", i))
				assert.NoError(t, r.connector.ConsumeMetrics(t.Context(), md))
			}
		})
	}
	all.Wait()
	assert.Len(t, r.changes(), 8)
}

// TestCanceled checks that the state is saved although the request was canceled.
func TestCanceled(t *testing.T) {
	storage := statetest.New(nil)
	r := start(t, storage)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, r.connector.ConsumeMetrics(ctx, leaking(2, 50).metrics(0)))
	assert.NotEmpty(t, storage.Data()[state.Key])
}

func TestShutdownWithoutStart(t *testing.T) {
	c := newUnstarted(t)
	require.NoError(t, c.Shutdown(context.Background()))
	require.NoError(t, c.Shutdown(context.Background()))
	require.False(t, c.Capabilities().MutatesData)
	require.NoError(t, c.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, c.Shutdown(context.Background()))
}
