package leakdetect

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadatatest"
)

func TestRisingSeverityIsLoggedOnce(t *testing.T) {
	r := newRig(t)
	core, logs := observer.New(zap.InfoLevel)
	set := metadatatest.NewSettings(r.telemetry)
	set.Logger = zap.New(core)
	r.processor = r.create(set)
	s := newFakeProcess("shop")
	for after := time.Minute; after <= 3*time.Hour; after += time.Minute {
		at := epoch.Add(after)
		r.consume(s.census(at, leaking("app.leak", "app.main", at, 1)))
	}
	require.Equal(t, 2, logs.Len())
	assert.Equal(t, "Leak suspected", logs.All()[0].Message)
	assert.Equal(t, "Leak probable", logs.All()[1].Message)
	fields := logs.All()[1].ContextMap()
	assert.InDelta(t, 60, fields["per_hour"], 15)
	delete(fields, "per_hour")
	assert.Greater(t, fields["leaked"], 60.0)
	delete(fields, "leaked")
	assert.Regexp(t, "^[0-9a-f]{16}$", fields[telemetry.AttrLeakID])
	delete(fields, telemetry.AttrLeakID)
	assert.Equal(t, map[string]any{
		"service.name":                  "shop",
		"service.instance.id":           "shop-1",
		"goroutine.state":               "chan_receive",
		"code.function.name":            "app.leak",
		"code.file.path":                "/src/app/main.go",
		"code.line.number":              "42",
		"goroutine.entry.function.name": "app.main",
	}, fields)
}

// TestLogIsBounded checks that a fleet that begins to leak does not flood the log.
func TestLogIsBounded(t *testing.T) {
	r := newRig(t)
	core, logs := observer.New(zap.InfoLevel)
	set := metadatatest.NewSettings(r.telemetry)
	set.Logger = zap.New(core)
	r.processor = r.create(set, shortLives)
	s := newFakeProcess("shop")
	for after := time.Minute; after <= 2*time.Hour && logs.Len() == 0; after += time.Minute {
		at := epoch.Add(after)
		var groups []group
		for i := range 25 {
			groups = append(groups, leaking(fmt.Sprint("app.leak", i), "app.main", at, 3))
		}
		r.consume(s.counts(at, groups...))
	}
	require.Equal(t, maxLoggedLeaks+1, logs.Len())
	assert.EqualValues(t, 15, logs.All()[maxLoggedLeaks].ContextMap()["leaks"])
}
