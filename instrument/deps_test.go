package instrument

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// maxModules is the most modules that a service may get beyond its own.
const maxModules = 30

const (
	// bareService is a service without OpenTelemetry.
	bareService = `package main

import "net/http"

func main() { _ = http.ListenAndServe("127.0.0.1:0", nil) }
`
	// reportingService is one that reports metrics by OTLP already.
	reportingService = `package main

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/sdk/metric"
)

func main() {
	exporter, _ := otlpmetrichttp.New(context.Background())
	otel.SetMeterProvider(metric.NewMeterProvider(metric.WithReader(metric.NewPeriodicReader(exporter))))
	_ = http.ListenAndServe("127.0.0.1:0", nil)
}
`
	// startsInstrument and importsAuto are files that a service adds.
	startsInstrument = `package main

import "github.com/otel-goroutine/otel-goroutine/instrument"

func init() { _, _ = instrument.Start(instrument.WithRuntimeMetrics()) }
`
	importsAuto = `package main

import _ "github.com/otel-goroutine/otel-goroutine/instrument/auto"
`
)

// TestAServiceGetsFewModules counts the modules of a service before and after it
// imports this package.
func TestAServiceGetsFewModules(t *testing.T) {
	if testing.Short() {
		t.Skip("it asks for modules that no test here needs")
	}
	bare := newModule(t, bareService)
	reporting := newModule(t, reportingService)
	before, beforeBare := reporting.modules(), bare.modules()
	reporting.add(startsInstrument)
	bare.add(startsInstrument)
	added := without(reporting.modules(), before)
	t.Logf("%d modules beyond those of a service that reports by OTLP: %s", len(added), strings.Join(added, ", "))
	t.Logf("%d beyond those of a service without OpenTelemetry", len(without(bare.modules(), beforeBare)))
	if len(added) > maxModules {
		t.Errorf("%d modules, at most %d", len(added), maxModules)
	}
	for _, of := range [][]string{reporting.packages(), bare.packages()} {
		for _, path := range of {
			if strings.HasPrefix(path, "go.opentelemetry.io/collector") || strings.Contains(path, "opentelemetry-collector-contrib") {
				t.Errorf("of the collector: %s", path)
			}
		}
	}
	if path := "net/http/pprof"; slices.Contains(bare.packages(), path) {
		t.Errorf("%s is among the dependencies", path)
	}
}

// TestABinaryGrowsLittle builds services before and after they are instrumented.
func TestABinaryGrowsLittle(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds whole services")
	}
	for _, test := range []struct {
		name, service, add string
		most               float64 // MB
	}{
		{"instrument, of a service that reports by OTLP", reportingService, startsInstrument, 3},
		{"auto, of a service without OpenTelemetry", bareService, importsAuto, 20},
	} {
		m := newModule(t, test.service)
		before := m.binary()
		m.add(test.add)
		after := m.binary()
		added := float64(after-before) / 1e6
		t.Logf("%s: %.1f MB beyond %.1f MB", test.name, added, float64(before)/1e6)
		if added > test.most {
			t.Errorf("%s: at most %v MB", test.name, test.most)
		}
	}
}

// module is a module of its own in a folder of its own.
type module struct {
	t      *testing.T
	folder string
}

func newModule(t *testing.T, source string) module {
	t.Helper()
	m := module{t: t, folder: t.TempDir()}
	m.write("main.go", source)
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	m.run("mod", "init", "example.com/service")
	m.run("mod", "edit",
		"-replace", "github.com/otel-goroutine/otel-goroutine="+root,
		"-replace", ScopeName+"/auto="+filepath.Join(root, "instrument", "auto"),
		// As new as what is tested here, not as what is newest today.
		"-require", "go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp@"+otelVersion(t))
	m.run("mod", "tidy")
	return m
}

// otelVersion returns the version of OpenTelemetry that this module requires.
func otelVersion(t *testing.T) string {
	t.Helper()
	version, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Version}}", "go.opentelemetry.io/otel").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(version))
}

// add adds a file to the module.
func (m module) add(source string) {
	m.t.Helper()
	m.write("goroutines.go", source)
	m.run("mod", "tidy")
}

// binary builds the module, and returns the size of the binary in bytes.
func (m module) binary() int64 {
	m.t.Helper()
	m.run("build", "-o", "service", ".")
	info, err := os.Stat(filepath.Join(m.folder, "service"))
	if err != nil {
		m.t.Fatal(err)
	}
	return info.Size()
}

func (m module) modules() []string  { return m.run("list", "-m", "-f", "{{.Path}}", "all") }
func (m module) packages() []string { return m.run("list", "-deps", ".") }

func (m module) write(name, text string) {
	m.t.Helper()
	if err := os.WriteFile(filepath.Join(m.folder, name), []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

// run runs the go command and returns the lines that it prints.
func (m module) run(args ...string) []string {
	m.t.Helper()
	cmd := exec.CommandContext(m.t.Context(), "go", args...)
	cmd.Dir = m.folder
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		m.t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return strings.Fields(string(out))
}

func without(all, those []string) (rest []string) {
	for _, s := range all {
		if !slices.Contains(those, s) {
			rest = append(rest, s)
		}
	}
	return rest
}
