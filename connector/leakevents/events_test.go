package leakevents

import (
	"flag"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/plogtest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/collector/state/statetest"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sendLifecycle sends the metrics of a leak that is suspected, probable, confirmed, closed by a
// version, and back in the next version.
func sendLifecycle(r *rig) {
	minute := 0
	play := func(minutes int, p process) process {
		for range minutes {
			minute++
			r.consume(p.metrics(minute))
			time.Sleep(time.Minute)
			if p.severity > 0 {
				p.leaked++
				p.whole++
			}
		}
		return p
	}
	p := leaking(1, 50)
	for p.whole = 50; p.severity <= 3; p.severity++ {
		p = play(10, p)
	}
	after := func(build string) process {
		return process{name: "a", build: build, start: epoch.Add(time.Duration(minute) * time.Minute), severity: -1}
	}
	play(30, after("c2c2c2c2c0ffee"))
	again := after("d3d3d3d3c0ffee")
	again.severity, again.leaked, again.whole = 2, 10, 10
	play(3, again)
}

// TestEvents compares the records of a leak with a golden file, parts of which are in README.md.
func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, statetest.New(nil))
		sendLifecycle(r)
		got := plog.NewLogs()
		for _, ld := range r.sink.AllLogs() {
			ld.ResourceLogs().MoveAndAppendTo(got.ResourceLogs())
		}
		assert.Equal(t, []string{"detected", "raised", "raised", "closed_by_version", "regressed"}, changesIn(got))
		file := filepath.Join("testdata", "events.yaml")
		if *update {
			require.NoError(t, golden.WriteLogsToFile(file, got))
		}
		want, err := golden.ReadLogs(file)
		require.NoError(t, err)
		assert.NoError(t, plogtest.CompareLogs(want, got))
		for i, rl := range got.ResourceLogs().All() {
			record := rl.ScopeLogs().At(0).LogRecords().At(0)
			assert.Equal(t, telemetry.EventLeak, record.EventName())
			numbers := []plog.SeverityNumber{plog.SeverityNumberInfo, plog.SeverityNumberWarn, plog.SeverityNumberError, plog.SeverityNumberInfo, plog.SeverityNumberWarn}
			assert.Equal(t, numbers[i], record.SeverityNumber())
		}
	})
}

// TestRestarted restarts the connector after each batch. Nothing is reported twice.
func TestRestarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		storage := statetest.New(nil)
		var changes []string
		for minute := range 30 {
			r := start(t, storage)
			r.consume(leaking(min(1+minute/10, 2), 50+minute).metrics(minute))
			changes = append(changes, r.changes()...)
			r.stop()
			time.Sleep(time.Minute)
		}
		assert.Equal(t, []string{"detected", "raised"}, changes)
	})
}

// TestKilled starts a connector after another was killed.
func TestKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		storage := statetest.New(nil)
		r := start(t, storage)
		r.consume(leaking(2, 50).metrics(0))
		assert.Equal(t, []string{"detected"}, r.changes())
		second := start(t, storage) // r was not shut down
		second.consume(leaking(2, 51).metrics(1))
		assert.Empty(t, second.changes())
	})
}

// TestPointsWithoutALevel sends points that are not levels of a leak. Nothing is reported.
func TestPointsWithoutALevel(t *testing.T) {
	for name, change := range map[string]func(pmetric.Metric){
		"no value": func(m pmetric.Metric) {
			for _, p := range m.Gauge().DataPoints().All() {
				p.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
			}
		},
		"a delta":     func(m pmetric.Metric) { m.SetEmptySum().DataPoints().AppendEmpty().SetDoubleValue(2) },
		"a histogram": func(m pmetric.Metric) { m.SetEmptyHistogram().DataPoints().AppendEmpty().SetCount(2) },
		"no ID": func(m pmetric.Metric) {
			for _, p := range m.Gauge().DataPoints().All() {
				p.Attributes().PutEmptyMap(telemetry.AttrLeakID).PutStr("a", "b")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, nil)
			md := leaking(2, 50).metrics(0)
			for _, m := range md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
				if m.Name() == telemetry.LeakSeverity {
					change(m)
				}
			}
			r.consume(md)
			assert.Empty(t, r.changes())
		})
	}
}
