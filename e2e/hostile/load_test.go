package hostile

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver"
)

// TestHungTargetsDelayNoOthers scrapes 100 targets, ten of which never respond. At least 99% of the scrapes of
// the others must be in time, which is less than half an interval late.
func TestHungTargetsDelayNoOthers(t *testing.T) {
	t.Parallel() // it measures no memory
	const hung, sound, interval, rounds = 10, 90, time.Second, 10
	s := startServer(t)
	var targets []goroutinereceiver.TargetConfig
	for i := range hung {
		targets = append(targets, target(fmt.Sprint("hung ", i), fmt.Sprintf("%s/hung~%d/debug/pprof", s.plain, i)))
	}
	for i := range sound {
		// Profiles, since a process supports only one trace at a time.
		targets = append(targets, target(fmt.Sprint("sound ", i), fmt.Sprintf("%s/sound~%d/debug/pprof", s.plain, i), func(c *goroutinereceiver.TargetConfig) {
			c.Capture = profiled
		}))
	}
	w := startReceiver(t, interval, targets...)
	begin := time.Now()
	for i := range sound {
		w.await(t, fmt.Sprint("sound ", i), rounds, 2*rounds*interval)
	}
	w.stop(t)
	inTime := 0
	for i := range sound {
		all := w.of(fmt.Sprint("sound ", i))
		// The first scrape, which must be within the first interval, determines the target's place in each
		// interval.
		place := all[0].at
		assert.Less(t, place.Sub(begin), interval+interval/2)
		for k, s := range all[:rounds] {
			late := s.at.Sub(place.Add(time.Duration(k) * interval))
			if up, _ := s.up(); up && late < interval/2 {
				inTime++
			}
		}
	}
	t.Logf("%d of %d in time", inTime, sound*rounds)
	assert.GreaterOrEqual(t, inTime, sound*rounds*99/100)
	for i := range hung {
		assert.Empty(t, w.of(fmt.Sprint("hung ", i)))
	}
}

// TestShutdownWithHungTargets shuts the receiver down while it waits for a thousand targets, and then once
// more.
func TestShutdownWithHungTargets(t *testing.T) {
	s := startServer(t)
	var targets []goroutinereceiver.TargetConfig
	for i := range 1000 {
		targets = append(targets, target("hung", fmt.Sprintf("%s/hung~%d/debug/pprof", s.plain, i)))
	}
	w := startReceiver(t, time.Second, append(targets, target("sound", s.plain+"/sound/debug/pprof"))...)
	w.await(t, "sound", 3, 20*time.Second) // all have been scraped by then
	begin := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	require.NoError(t, w.Shutdown(ctx))
	t.Logf("shut down after %v", time.Since(begin).Round(time.Millisecond))
	require.NoError(t, w.Shutdown(ctx))
	assert.Empty(t, w.of("hung"), "a scrape canceled by Shutdown is not a failure")
}

// TestAMillionGoroutines scrapes a process with a million goroutines.
func TestAMillionGoroutines(t *testing.T) {
	const million = 1_000_000
	s := startServer(t, strconv.Itoa(million))
	var got scrape
	growth := heapGrowth(func() {
		w := startReceiver(t, time.Second, target("million", s.plain+"/sound/debug/pprof", func(c *goroutinereceiver.TargetConfig) {
			c.Capture = traced
			c.ClientConfig.Timeout = time.Minute
		}))
		got = w.await(t, "million", 1, 100*time.Second)[0]
		w.stop(t)
	})
	up, errorType := got.up()
	require.True(t, up, errorType)
	var took float64
	for _, p := range got.points("goroutine.scrape.duration").All() {
		took = p.DoubleValue()
	}
	size := int64(million * 17) // measured size of such a trace in bytes
	t.Logf("%d goroutines in %.1f s, heap +%s", got.sum("go.goroutine.count"), took, mib(growth))
	assert.InDelta(t, million, got.sum("go.goroutine.count"), 100)
	assert.LessOrEqual(t, growth, mostToAccept*size)
	waiting := int64(0)
	for _, p := range got.points("goroutine.stack.count").All() {
		if function, _ := p.Attributes().Get("code.function.name"); function.Str() == "main.wait" {
			waiting += p.IntValue()
		}
	}
	assert.EqualValues(t, million, waiting)
}
