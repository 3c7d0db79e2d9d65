package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/profile"
)

// TestRecording passes a recording to the census: one process, a tenth of whose goroutines are replaced between
// snapshots, with names of its own.
func TestRecording(t *testing.T) {
	all, err := record(goroutines)
	require.NoError(t, err)
	require.Len(t, all, services)
	c := census.New(time.Minute, 200)
	at := time.Now()
	for i, trace := range all[17].traces {
		s, err := exectrace.Decode(trace)
		require.NoError(t, err)
		assert.InDelta(t, goroutines, s.Count(), 60)
		report := c.Observe(s, at.Add(time.Duration(i)*2*time.Minute))
		assert.False(t, report.Restarted)
		if i > 0 {
			assert.Greater(t, report.Creations, int64(40*i))
			assert.Greater(t, len(report.Groups), 15)
		}
		p, err := profile.Decode(all[17].profiles[i], 1<<20)
		require.NoError(t, err)
		assert.InDelta(t, s.Count(), p.Count(), 60)
		assert.Zero(t, bytes.Count(trace, []byte(recorded)))
	}
	page := metricPage(17)
	assert.Equal(t, series, bytes.Count(page, []byte("{")))
}
