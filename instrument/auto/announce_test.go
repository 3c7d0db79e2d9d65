package auto

import (
	"bytes"
	"log"
	"os"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel"
)

// logged is what is written to the log during a test.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func captureLog(t *testing.T) *logged {
	t.Helper()
	l := new(logged)
	flags := log.Flags()
	log.SetFlags(0)
	log.SetOutput(l)
	t.Cleanup(func() {
		log.SetFlags(flags)
		log.SetOutput(os.Stderr)
	})
	return l
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestDescribe(t *testing.T) {
	const p = "OTEL_EXPORTER_OTLP_"
	tests := []struct {
		name, service string // cart, if empty
		env           map[string]string
		want          string // after "reporting the goroutines of "
	}{
		{name: "defaults", service: "unknown_service:cart", want: `service "unknown_service:cart" every 1m0s to https://localhost:4318/v1/metrics by OTLP (http/protobuf); name the service with OTEL_SERVICE_NAME`},
		{name: "endpoint", env: map[string]string{p + "ENDPOINT": "http://collector:4318"}, want: `service "cart" every 1m0s to http://collector:4318/v1/metrics by OTLP (http/protobuf)`},
		{name: "endpoint with a path", env: map[string]string{p + "ENDPOINT": "https://a.example/otlp/"}, want: `service "cart" every 1m0s to https://a.example/otlp/v1/metrics by OTLP (http/protobuf)`},
		{
			name: "endpoint of metrics", env: map[string]string{p + "ENDPOINT": "http://a:1", p + "METRICS_ENDPOINT": "http://b:2/x", "OTEL_METRIC_EXPORT_INTERVAL": "1500"},
			want: `service "cart" every 1.5s to http://b:2/x by OTLP (http/protobuf)`,
		},
		{name: "no secrets", env: map[string]string{p + "ENDPOINT": "https://user:secret@a.example?key=secret#secret"}, want: `service "cart" every 1m0s to https://a.example/v1/metrics by OTLP (http/protobuf)`},
		{name: "insecure", env: map[string]string{p + "INSECURE": "true"}, want: `service "cart" every 1m0s to http://localhost:4318/v1/metrics by OTLP (http/protobuf)`},
		{
			name: "metrics are secure", env: map[string]string{p + "INSECURE": "true", p + "METRICS_INSECURE": "false", p + "PROTOCOL": "grpc"},
			want: `service "cart" every 1m0s to https://localhost:4317 by OTLP (grpc)`,
		},
		{
			name: "grpc for metrics", env: map[string]string{p + "METRICS_PROTOCOL": "grpc", p + "PROTOCOL": "http/protobuf", p + "ENDPOINT": "http://collector:4317"},
			want: `service "cart" every 1m0s to http://collector:4317 by OTLP (grpc)`,
		},
		{name: "no URL", env: map[string]string{p + "ENDPOINT": "localhost:4318"}, want: `service "cart" every 1m0s to an endpoint that is not a URL such as http://localhost:4318 by OTLP (http/protobuf)`},
		{name: "prometheus", env: map[string]string{"OTEL_METRICS_EXPORTER": "prometheus", "OTEL_EXPORTER_PROMETHEUS_HOST": "::"}, want: `service "cart" at http://[::]:9464/metrics, whenever it is scraped`},
		{name: "console", env: map[string]string{"OTEL_METRICS_EXPORTER": "console", "OTEL_METRIC_EXPORT_INTERVAL": "-1"}, want: `service "cart" every 1m0s to standard output`},
		{name: "registered", env: map[string]string{"OTEL_METRICS_EXPORTER": "ours"}, want: `service "cart" to the exporter "ours"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			service := test.service
			if service == "" {
				service = "cart"
			}
			got := describe(func(key string) string { return test.env[key] }, service)
			if want := "reporting the goroutines of " + test.want; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestTheDestinationIsLoggedOnce(t *testing.T) {
	for level, silent := range map[string]bool{"": false, "info": false, "DEBUG": false, "warn": true, "error": true, "none": true} {
		t.Run(level, func(t *testing.T) {
			said := captureLog(t)
			t.Setenv("OTEL_LOG_LEVEL", level)
			b := newBackend(t)
			start(t)
			b.next(t, "goroutine.stack.count")
			want := "instrument/auto: reporting the goroutines of service \"cart\" every 20ms to " + b.URL + "/v1/metrics by OTLP (http/protobuf)\n"
			if silent {
				want = ""
			}
			if got := said.String(); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// TestWrongVariablesAreReportedAtOnce, not when ten seconds are over.
func TestWrongVariablesAreReportedAtOnce(t *testing.T) {
	for name, value := range map[string]string{
		"OTEL_GO_GOROUTINE_INTERVAL": "60", "OTEL_GO_GOROUTINE_INTERVALL": "60s", "OTEL_GO_GOROUTINE_DISABLED": "yes",
	} {
		t.Run(name, func(t *testing.T) {
			var errs []string
			before := otel.GetErrorHandler()
			otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { errs = append(errs, err.Error()) }))
			t.Cleanup(func() { otel.SetErrorHandler(before) })
			t.Setenv(name, value)
			i := start(t)
			<-i.ended
			if len(errs) != 1 || !strings.HasPrefix(errs[0], "instrument/auto: ") || !strings.Contains(errs[0], name) {
				t.Errorf("got %q", errs)
			}
		})
	}
}
