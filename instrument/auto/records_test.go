package auto

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	globallog "go.opentelemetry.io/otel/log/global"
	"go.opentelemetry.io/otel/log/noop"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"

	"github.com/otel-goroutine/otel-goroutine/instrument"
)

// leak starts goroutines that wait for ever, and is traced for it within seconds.
func leak(t *testing.T) {
	t.Helper()
	for name, text := range map[string]string{
		"ORIGINS": "true", "ORIGINS_DURATION": "150ms", "ORIGINS_BUDGET": "1", "INTERVAL": "300ms", "AGED_AFTER": "100ms",
	} {
		t.Setenv("OTEL_GO_GOROUTINE_"+name, text)
	}
	closing, never := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Add(1)
	go func() {
		defer all.Done()
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-closing:
				return
			case <-ticker.C:
				all.Add(1)
				go waitForEver(never, &all)
			}
		}
	}()
	t.Cleanup(func() {
		close(closing)
		close(never)
		all.Wait()
	})
}

func waitForEver(never <-chan struct{}, all *sync.WaitGroup) {
	defer all.Done()
	<-never
}

// TestOriginsAreLogged to the backend that gets the metrics, by the variables alone.
func TestOriginsAreLogged(t *testing.T) {
	b := newBackend(t)
	leak(t)
	start(t)
	deadline := time.After(20 * time.Second)
	for {
		select {
		case of := <-b.records:
			if isOfLeak(t, of) {
				return
			}
		case <-deadline:
			t.Fatal("no log record within 20 s")
		}
	}
}

// isOfLeak reports whether a log record says where the goroutines of leak come from, and checks it.
func isOfLeak(t *testing.T, of *logs.ResourceLogs) bool {
	t.Helper()
	if service := textOf(of.GetResource().GetAttributes(), "service.name"); service != "cart" {
		t.Errorf("of service %q", service)
	}
	for _, scope := range of.GetScopeLogs() {
		for _, r := range scope.GetLogRecords() {
			if !strings.Contains(textOf(r.GetAttributes(), "goroutine.entry.function.name"), "auto.waitForEver") {
				continue
			}
			if scope.GetScope().GetName() != instrument.ScopeName || r.GetEventName() != "goroutine.origin" ||
				r.GetSeverityNumber() != logs.SeverityNumber_SEVERITY_NUMBER_INFO || r.GetTimeUnixNano() == 0 ||
				!strings.Contains(r.GetBody().GetStringValue(), "auto.leak.func1") ||
				!strings.Contains(textOf(r.GetAttributes(), "code.stacktrace"), "auto.leak.func1(...)\n") {
				t.Errorf("got %v", r)
			}
			return true
		}
	}
	return false
}

func textOf(attributes []*common.KeyValue, key string) string {
	for _, a := range attributes {
		if a.GetKey() == key {
			return a.GetValue().GetStringValue()
		}
	}
	return ""
}

// kept is a log exporter that passes on the names of events.
type kept chan string

func (k kept) Export(_ context.Context, records []sdklog.Record) error {
	for i := range records {
		k <- records[i].EventName()
	}
	return nil
}

func (kept) Shutdown(context.Context) error   { return nil }
func (kept) ForceFlush(context.Context) error { return nil }

// TestTheServicesOwnLoggerProviderIsUsed though it has no MeterProvider.
func TestTheServicesOwnLoggerProviderIsUsed(t *testing.T) {
	k := make(kept, 100)
	globallog.SetLoggerProvider(sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewSimpleProcessor(k))))
	t.Cleanup(func() { globallog.SetLoggerProvider(noop.NewLoggerProvider()) })
	b := newBackend(t)
	leak(t)
	i := start(t)
	select {
	case event := <-k:
		if event != "goroutine.origin" {
			t.Errorf("got event %q", event)
		}
	case <-time.After(20 * time.Second):
		t.Error("no log record within 20 s")
	}
	if err := i.shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if n := len(b.records); n > 0 {
		t.Errorf("%d log records were exported besides", n)
	}
}

func TestNewLoggerProvider(t *testing.T) {
	for _, test := range []struct {
		name, origins, exporter string
		made                    bool
		err                     string
	}{
		{name: "origins are not asked for", exporter: "console"},
		{name: "no log records", origins: "true", exporter: "none"},
		{name: "log records", origins: "true", exporter: "console", made: true},
		{name: "an exporter that does not exist", origins: "true", exporter: "paper", err: "OTEL_LOGS_EXPORTER"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("OTEL_GO_GOROUTINE_ORIGINS", test.origins)
			t.Setenv("OTEL_LOGS_EXPORTER", test.exporter)
			provider, err := newLoggerProvider(t.Context(), resource.Default())
			if (provider != nil) != test.made || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("got %v, %v", provider, err)
			}
			if provider != nil {
				if err := provider.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
