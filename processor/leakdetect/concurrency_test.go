package leakdetect

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/otel-goroutine/otel-goroutine/internal/collector/state/statetest"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadata"
)

// TestConcurrentSenders sends the data of several processes concurrently, twice for each.
func TestConcurrentSenders(t *testing.T) {
	r := newRig(t)
	var wg sync.WaitGroup
	for i := range 8 {
		s := newFakeProcess(fmt.Sprint("service-", i))
		send := func() {
			for after := time.Minute; after <= 2*time.Hour; after += time.Minute {
				at := epoch.Add(after)
				md := s.census(at, leaking("app.leak", "app.main", at, 3))
				assert.NoError(t, r.processor.ConsumeMetrics(context.Background(), md))
			}
		}
		wg.Go(send)
		wg.Go(send)
	}
	wg.Wait()
	flagged := map[string]bool{}
	for _, md := range r.sink.AllMetrics() {
		for _, f := range takeFlags(md) {
			if f.value >= suspected {
				flagged[f.service] = true
			}
		}
	}
	assert.Len(t, flagged, 8)
}

// TestNextConsumerIsCalledWithoutLock checks that a slow backend does not block other senders.
func TestNextConsumerIsCalledWithoutLock(t *testing.T) {
	entered, proceed := make(chan struct{}), make(chan struct{})
	next, err := consumer.NewMetrics(func(context.Context, pmetric.Metrics) error {
		entered <- struct{}{}
		<-proceed
		return nil
	})
	require.NoError(t, err)
	p, err := NewFactory().CreateMetrics(context.Background(), processortest.NewNopSettings(metadata.Type), defaultConfig(), next)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() {
			md := newFakeProcess("shop").counts(epoch.Add(time.Duration(i)*time.Minute), steady("app.worker", "app.pool", 40))
			assert.NoError(t, p.ConsumeMetrics(context.Background(), md))
		})
	}
	<-entered
	<-entered // blocks forever unless both calls are concurrent
	close(proceed)
	wg.Wait()
}

// TestShutdownContract checks that all received data is passed on before Shutdown returns.
func TestShutdownContract(t *testing.T) {
	processortest.VerifyShutdown(t, NewFactory(), NewFactory().CreateDefaultConfig())
}

// TestMutatesData checks that the capability MutatesData is set if and only if a batch is changed:
// then a pipeline copies it for other consumers.
func TestMutatesData(t *testing.T) {
	r := newRig(t)
	s := newFakeProcess("shop")
	changed := false
	for after := time.Minute; after <= 2*time.Hour; after += time.Minute {
		at := epoch.Add(after)
		md := s.census(at, leaking("app.leak", "app.main", at, 3))
		before := marshal(t, md)
		require.NoError(t, r.processor.ConsumeMetrics(t.Context(), md))
		changed = changed || !bytes.Equal(before, marshal(t, md))
	}
	assert.Equal(t, changed, r.processor.Capabilities().MutatesData)
}

// TestConcurrentSendersAndSaves sends concurrently while the state is saved repeatedly.
func TestConcurrentSendersAndSaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		storage := statetest.New(nil)
		k := newPersistent(t, storage)
		var wg sync.WaitGroup
		for i := range 8 {
			s := newFakeProcess(fmt.Sprint("service-", i))
			wg.Go(func() {
				for after := time.Minute; after <= 2*time.Hour; after += time.Minute {
					at := epoch.Add(after)
					if _, err := k.process(t.Context(), s.census(at, leaking("app.leak", "app.main", at, 3))); err != nil {
						t.Error(err)
					}
					time.Sleep(time.Second)
				}
			})
		}
		wg.Wait()
		require.NoError(t, k.shutdown(t.Context()))
		assert.Greater(t, storage.Writes(), 2)

		next := newPersistent(t, storage)
		assert.Equal(t, k.tracker.size(), next.tracker.size())
		require.NoError(t, next.shutdown(t.Context()))
	})
}

func TestStartAndShutdownTwice(t *testing.T) {
	p, err := NewFactory().CreateMetrics(context.Background(), processortest.NewNopSettings(metadata.Type), defaultConfig(), consumertest.NewNop())
	require.NoError(t, err)
	assert.True(t, p.Capabilities().MutatesData)
	for range 2 {
		require.NoError(t, p.Start(context.Background(), componenttest.NewNopHost()))
		require.NoError(t, p.Shutdown(context.Background()))
		require.NoError(t, p.Shutdown(context.Background()))
	}
}
