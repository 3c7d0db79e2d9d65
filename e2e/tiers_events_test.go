package e2e

import (
	"bytes"
	"errors"
	"io/fs"
	"iter"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// leakEvent is an event of leak_events.
type leakEvent struct {
	change, id string
}

// leakEvents returns the events that some collectors have written, by service, in order.
func (s *tiers) leakEvents(t *testing.T, by []*member) map[string][]leakEvent {
	t.Helper()
	events := make(map[string][]leakEvent)
	s.records(t, by, func(_, service string, record plog.LogRecord) {
		if record.EventName() != "goroutine.leak" {
			return
		}
		event := leakEvent{change: text(record.Attributes(), "goroutine.leak.change"), id: text(record.Attributes(), "goroutine.leak.id")}
		events[service] = append(events[service], event)
	})
	return events
}

// probable reports whether some collectors have written an event of a probable leak of each service.
func (s *tiers) probable(t *testing.T, by []*member, services map[string]bool) bool {
	t.Helper()
	probable := make(map[string]bool)
	s.records(t, by, func(_, service string, record plog.LogRecord) {
		if record.EventName() == "goroutine.leak" && record.SeverityNumber() == plog.SeverityNumberWarn {
			probable[service] = true
		}
	})
	for service := range services {
		if !probable[service] {
			return false
		}
	}
	return true
}

// detectorsOf returns the detectors that have written log records of each service.
func (s *tiers) detectorsOf(t *testing.T) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	s.records(t, s.detectors, func(detector, service string, _ plog.LogRecord) {
		if !slices.Contains(found[service], detector) {
			found[service] = append(found[service], detector)
		}
	})
	return found
}

// flagged returns the timestamps of the flags of each service, in order.
func (s *tiers) flagged(t *testing.T) map[string][]time.Time {
	t.Helper()
	times := make(map[string][]time.Time)
	for line := range wholeLines(t, s.flags) {
		md, err := new(pmetric.JSONUnmarshaler).UnmarshalMetrics(line)
		require.NoError(t, err)
		for _, resource := range md.ResourceMetrics().All() {
			service := text(resource.Resource().Attributes(), resourceName)
			for _, scope := range resource.ScopeMetrics().All() {
				for _, m := range scope.Metrics().All() {
					for _, p := range m.Gauge().DataPoints().All() {
						if p.IntValue() >= 2 {
							times[service] = append(times[service], p.Timestamp().AsTime())
						}
					}
				}
			}
		}
	}
	for _, flagged := range times {
		slices.SortFunc(flagged, time.Time.Compare)
	}
	return times
}

// longestGap returns the longest time between two consecutive times.
func longestGap(times []time.Time) (longest time.Duration) {
	for i := range times[1:] {
		longest = max(longest, times[i+1].Sub(times[i]))
	}
	return longest
}

// flaggedSince reports whether each of the services has been flagged after a time.
func (s *tiers) flaggedSince(t *testing.T, since time.Time, services map[string]bool) bool {
	t.Helper()
	times := s.flagged(t)
	for service := range services {
		if len(times[service]) == 0 || !times[service][len(times[service])-1].After(since) {
			return false
		}
	}
	return true
}

// records calls do with every log record that some collectors have written.
func (s *tiers) records(t *testing.T, by []*member, do func(detector, service string, record plog.LogRecord)) {
	t.Helper()
	for _, detector := range by {
		for line := range wholeLines(t, detector.output) {
			logs, err := new(plog.JSONUnmarshaler).UnmarshalLogs(line)
			require.NoError(t, err)
			for _, resource := range logs.ResourceLogs().All() {
				for _, scope := range resource.ScopeLogs().All() {
					for _, record := range scope.LogRecords().All() {
						do(detector.output, text(resource.Resource().Attributes(), resourceName), record)
					}
				}
			}
		}
	}
}

// wholeLines returns the complete lines of a file.
func wholeLines(t *testing.T, path string) iter.Seq[[]byte] {
	t.Helper()
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return bytes.Lines(nil) // not written yet
	}
	require.NoError(t, err)
	return bytes.Lines(data[:bytes.LastIndexByte(data, '\n')+1])
}
