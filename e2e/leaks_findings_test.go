package e2e

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// place is where goroutines leak. A leak of which only the entry is known has
// nothing but its function.
type place struct {
	state, function string
	// file is the end of its path: what comes before depends on where it was built.
	file string
	line int64
}

// findings are the highest severity that each place had, by service.
type findings struct {
	path  string
	read  int // bytes of the file that are read already
	found map[string]map[place]int64
	// ids are the identities of the findings that each place was told as, by service.
	ids map[string]map[place]map[string]bool
}

// update takes in what the collector has written since the last time.
func (f *findings) update(t *testing.T) {
	t.Helper()
	data, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	require.NoError(t, err)
	data = data[f.read:]
	data = data[:bytes.LastIndexByte(data, '\n')+1] // the last is not yet whole
	f.read += len(data)
	for line := range bytes.Lines(data) {
		md, err := new(pmetric.JSONUnmarshaler).UnmarshalMetrics(line)
		require.NoError(t, err)
		f.add(md)
	}
}

func (f *findings) add(md pmetric.Metrics) {
	for _, resource := range md.ResourceMetrics().All() {
		service := text(resource.Resource().Attributes(), "service.name")
		for _, scope := range resource.ScopeMetrics().All() {
			for _, m := range scope.Metrics().All() {
				if m.Name() != "goroutine.leak.severity" {
					continue
				}
				for _, p := range m.Gauge().DataPoints().All() {
					f.take(service, placeOf(p.Attributes()), p.IntValue())
					f.identify(service, placeOf(p.Attributes()), text(p.Attributes(), "goroutine.leak.id"))
				}
			}
		}
	}
}

func (f *findings) take(service string, at place, severity int64) {
	if severity == 0 {
		return
	}
	if f.found[service] == nil {
		f.found[service] = make(map[place]int64)
	}
	f.found[service][at] = max(severity, f.found[service][at])
}

func (f *findings) identify(service string, at place, id string) {
	if f.ids == nil {
		f.ids = make(map[string]map[place]map[string]bool)
	}
	if f.ids[service] == nil {
		f.ids[service] = make(map[place]map[string]bool)
	}
	if f.ids[service][at] == nil {
		f.ids[service][at] = make(map[string]bool)
	}
	f.ids[service][at][id] = true
}

func placeOf(attributes pcommon.Map) place {
	function := text(attributes, "code.function.name")
	if function == "" {
		return place{function: text(attributes, "goroutine.entry.function.name")}
	}
	var line int64
	if value, ok := attributes.Get("code.line.number"); ok {
		line = value.Int()
	}
	return place{text(attributes, "goroutine.state"), function, shortPath(text(attributes, "code.file.path")), line}
}

// shortPath is what is left of a path in a GOROOT or in this project.
//
//	.../go/src/net/http/transport.go      ->  net/http/transport.go
//	.../examples/leaks/dbpool/leaky.go    ->  examples/leaks/dbpool/leaky.go
func shortPath(path string) string {
	if i := strings.LastIndex(path, "/examples/leaks/"); i >= 0 {
		return path[i+1:]
	}
	if _, standard, ok := strings.Cut(path, "/src/"); ok {
		return standard
	}
	return path
}
