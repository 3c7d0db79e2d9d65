package auto

import (
	"cmp"
	"log"
	"net"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

// announce logs a line to standard error, like OpenTelemetry's errors, unless OTEL_LOG_LEVEL
// silences it.
func announce(getenv func(string) string, text string) {
	switch strings.ToLower(getenv("OTEL_LOG_LEVEL")) {
	case "", "info", "debug", "trace", "verbose", "all":
		log.Print("instrument/auto: " + text)
	}
}

// describe returns where and how often the metrics of a service are exported, according to the
// standard variables that autoexport and the SDK read.
func describe(getenv func(string) string, service string) string {
	text := "reporting the goroutines of service " + strconv.Quote(service) + " " + destination(getenv)
	if strings.HasPrefix(service, "unknown_service") {
		text += "; name the service with OTEL_SERVICE_NAME"
	}
	return text
}

func destination(getenv func(string) string) string {
	switch exporter := cmp.Or(getenv("OTEL_METRICS_EXPORTER"), "otlp"); exporter {
	case "otlp":
		protocol := cmp.Or(getenv("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"), getenv("OTEL_EXPORTER_OTLP_PROTOCOL"), "http/protobuf")
		return "every " + exportInterval(getenv).String() + " to " + endpoint(getenv, protocol) + " by OTLP (" + protocol + ")"
	case "prometheus":
		host := cmp.Or(getenv("OTEL_EXPORTER_PROMETHEUS_HOST"), "localhost")
		port := cmp.Or(getenv("OTEL_EXPORTER_PROMETHEUS_PORT"), "9464")
		return "at http://" + net.JoinHostPort(host, port) + "/metrics, whenever it is scraped"
	case "console":
		return "every " + exportInterval(getenv).String() + " to standard output"
	default:
		return "to the exporter " + strconv.Quote(exporter)
	}
}

// endpoint returns the URL that the exporter of a protocol exports to, without parts that may
// contain a secret.
func endpoint(getenv func(string) string, protocol string) string {
	u := &url.URL{Scheme: "https", Host: "localhost:4318", Path: "/v1/metrics"}
	if protocol == "grpc" {
		u = &url.URL{Scheme: "https", Host: "localhost:4317"}
	}
	if text := getenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"); text != "" {
		u = parseEndpoint(text)
	} else if text := getenv("OTEL_EXPORTER_OTLP_ENDPOINT"); text != "" {
		if u = parseEndpoint(text); u != nil && protocol != "grpc" {
			u.Path = path.Join("/", u.Path, "v1/metrics")
		}
	}
	if u == nil {
		return "an endpoint that is not a URL such as http://localhost:4318"
	}
	switch strings.ToLower(cmp.Or(getenv("OTEL_EXPORTER_OTLP_METRICS_INSECURE"), getenv("OTEL_EXPORTER_OTLP_INSECURE"))) {
	case "true":
		u.Scheme = "http"
	case "false":
		u.Scheme = "https"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// parseEndpoint returns nil if text is not a URL with a host.
func parseEndpoint(text string) *url.URL {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Host == "" && u.Scheme != "unix" {
		return nil
	}
	return u
}

// exportInterval returns the export interval of the SDK.
func exportInterval(getenv func(string) string) time.Duration {
	if ms, err := strconv.Atoi(getenv("OTEL_METRIC_EXPORT_INTERVAL")); err == nil && ms > 0 {
		return time.Duration(ms) * time.Millisecond
	}
	return time.Minute
}
