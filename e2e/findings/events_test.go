package findings

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// file is a file to which the collector appends lines.
type file struct {
	path string
	read int // bytes
}

// lines returns the lines that were written since the last call.
func (f *file) lines(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	require.NoError(t, err)
	data = data[f.read:]
	data = data[:bytes.LastIndexByte(data, '\n')+1] // without an incomplete line
	f.read += len(data)
	return data
}

// event is a log record.
type event struct {
	name, body string
	attributes pcommon.Map
}

func (e event) text(key string) string {
	value, ok := e.attributes.Get(key)
	if !ok {
		return ""
	}
	return value.AsString()
}

// line returns the value of the attributes PREFIX.file.path and PREFIX.line.number, as file:line.
func (e event) line(prefix string) string {
	file, line := e.text(prefix+".file.path"), e.text(prefix+".line.number")
	switch {
	case file == "":
		return ""
	case line == "":
		return path.Base(file)
	}
	return path.Base(file) + ":" + line
}

// place returns where goroutines wait as file:line, or their entry if they move between lines.
func (e event) place() string {
	if e.text("code.function.name") == "" {
		return e.text("goroutine.entry.function.name")
	}
	return e.line("code")
}

// record has everything that the collector has written so far.
type record struct {
	logs, metrics file
	events        []event
	// flags has the severities of each place, in order.
	flags map[string][]flag
}

type flag struct {
	at       time.Time
	severity int64
}

func newRecord(logs, metrics string) *record {
	return &record{logs: file{path: logs}, metrics: file{path: metrics}, flags: make(map[string][]flag)}
}

// update reads what the collector has written since the last call.
func (r *record) update(t *testing.T) {
	t.Helper()
	for line := range bytes.Lines(r.logs.lines(t)) {
		ld, err := new(plog.JSONUnmarshaler).UnmarshalLogs(line)
		require.NoError(t, err)
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, l := range sl.LogRecords().All() {
					r.events = append(r.events, event{l.EventName(), l.Body().AsString(), l.Attributes()})
				}
			}
		}
	}
	for line := range bytes.Lines(r.metrics.lines(t)) {
		md, err := new(pmetric.JSONUnmarshaler).UnmarshalMetrics(line)
		require.NoError(t, err)
		for _, rm := range md.ResourceMetrics().All() {
			for _, sm := range rm.ScopeMetrics().All() {
				for _, m := range sm.Metrics().All() {
					r.addFlags(m)
				}
			}
		}
	}
}

func (r *record) addFlags(m pmetric.Metric) {
	if m.Name() != "goroutine.leak.severity" {
		return
	}
	for _, p := range m.Gauge().DataPoints().All() {
		place := event{attributes: p.Attributes()}.place()
		r.flags[place] = append(r.flags[place], flag{p.Timestamp().AsTime(), p.IntValue()})
	}
}

// flaggedAgain reports whether a place was not flagged at some time after the given one, but is flagged now.
func (r *record) flaggedAgain(place string, after time.Time) bool {
	flags := r.flags[place]
	return len(flags) > 0 && flags[len(flags)-1].severity > 0 &&
		slices.ContainsFunc(flags, func(f flag) bool { return f.severity == 0 && f.at.After(after) })
}

// changes returns the changes of a finding, without the first skip events, in order.
func (r *record) changes(id string, skip int) []string {
	var all []string
	for _, e := range r.events[skip:] {
		if e.name == "goroutine.leak" && e.text("goroutine.leak.id") == id {
			all = append(all, e.text("goroutine.leak.change"))
		}
	}
	return all
}

// findings returns the latest event of each finding.
func (r *record) findings() map[string]event {
	all := make(map[string]event)
	for _, e := range r.events {
		if e.name == "goroutine.leak" {
			all[e.text("goroutine.leak.id")] = e
		}
	}
	return all
}
