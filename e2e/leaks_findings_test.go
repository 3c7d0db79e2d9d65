package e2e

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// place is where goroutines leak. If only the entry is known, only function is set.
type place struct {
	state, function string
	// file is the end of the path, which does not depend on where the service was built.
	file string
	line int64
}

func (p place) fileLine() string { return p.file + ":" + strconv.FormatInt(p.line, 10) }

// findings collects flags from the output of a collector.
type findings struct {
	path string
	read int // bytes of the file
	// found has the highest severity of each place, by service.
	found map[string]map[place]int64
	// ids has the IDs of the findings that each place was part of, by service.
	ids map[string]map[place]map[string]bool
}

// update reads what the collector has written since the last call.
func (f *findings) update(t *testing.T) {
	t.Helper()
	data, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	require.NoError(t, err)
	data = data[f.read:]
	data = data[:bytes.LastIndexByte(data, '\n')+1] // without an incomplete line
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
					f.addSeverity(service, placeOf(p.Attributes()), p.IntValue())
					f.addID(service, placeOf(p.Attributes()), text(p.Attributes(), "goroutine.leak.id"))
				}
			}
		}
	}
}

func (f *findings) addSeverity(service string, at place, severity int64) {
	if severity == 0 {
		return
	}
	if f.found[service] == nil {
		f.found[service] = make(map[place]int64)
	}
	f.found[service][at] = max(severity, f.found[service][at])
}

func (f *findings) addID(service string, at place, id string) {
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

// shortPath returns the part of a path below GOROOT/src or below the root of this project.
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
