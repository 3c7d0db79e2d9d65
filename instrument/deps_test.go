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

// service is one that reports metrics by OTLP already.
const service = `package main

import (
	_ "go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	_ "go.opentelemetry.io/otel/sdk/metric"
)

func main() {}
`

// TestAServiceGetsFewModules counts the modules of a service before and after it
// imports this package.
func TestAServiceGetsFewModules(t *testing.T) {
	if testing.Short() {
		t.Skip("it asks for modules that no test here needs")
	}
	bare := newModule(t, "package main\n\nfunc main() {}\n")
	reporting := newModule(t, service)
	before, beforeBare := reporting.modules(), bare.modules()
	reporting.instrument()
	bare.instrument()
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
	m.run("mod", "edit", "-replace", "github.com/otel-goroutine/otel-goroutine="+root)
	m.run("mod", "tidy")
	return m
}

// instrument has the module import this package.
func (m module) instrument() {
	m.t.Helper()
	m.write("goroutines.go", "package main\n\nimport _ \""+ScopeName+"\"\n")
	m.run("mod", "tidy")
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
