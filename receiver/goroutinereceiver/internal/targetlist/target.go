// Package targetlist parses lists of targets in the formats of Prometheus' service discovery,
// converts their addresses and labels to targets, merges lists, and assigns targets to shards. It
// is pure: it fetches nothing.
package targetlist

import (
	"errors"
	"fmt"
	"net"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/endpoint"
)

// Target is a process to scrape. It is immutable: targets of a group share their attributes.
type Target struct {
	// ID is the identity of the process; see endpoint.Identity.
	ID string
	// Endpoint is the URL of its pprof index.
	Endpoint string
	// ServiceName is the name of the service, from a label or an annotation.
	ServiceName string
	// Workload is the name of the pod's Kubernetes workload, the default for ServiceName.
	Workload string
	// Capture is the capture mode, from an annotation.
	Capture string
	// Attributes are resource attributes.
	Attributes map[string]string
}

// Labels are the labels of a target, as in Prometheus.
type Labels map[string]string

// Labels for the URL of a target. Annotations of its pod take precedence; see kubernetes.go.
const (
	labelScheme = "__scheme__"
	labelPath   = "__metrics_path__"
)

// Limits of a target. Kubernetes names have at most 317 bytes, and host names at most 253.
const (
	maxAddress    = 512
	maxName       = 320
	maxValue      = 1024
	maxAttributes = 64
)

var (
	errAddress    = errors.New("the address must be host:port")
	errLabel      = errors.New("label ignored")
	errManyLabels = fmt.Errorf("%w: a target has at most %d", errLabel, maxAttributes)
	errCapture    = errors.New("the annotation otel-goroutine/pprof-capture must be auto, trace or profile")
)

// resolver converts the addresses of a group, which share their attributes, to targets.
type resolver struct {
	labels  Labels
	common  Target
	problem func(error) // called for each ignored part
}

func newResolver(labels Labels, problem func(error)) *resolver {
	r := &resolver{labels: labels, problem: problem}
	r.common.Attributes = kubernetesAttributes(labels)
	r.common.Workload = workload(r.common.Attributes)
	r.addLabels()
	r.common.ServiceName = serviceName(labels)
	if capture := labels[annotatedCapture]; capture != "" {
		switch capture {
		case "auto", "trace", "profile":
			r.common.Capture = capture
		default:
			problem(fmt.Errorf("%w, not %.40q", errCapture, capture))
		}
	}
	return r
}

// addLabels adds the labels without the prefix __ to the attributes.
func (r *resolver) addLabels() {
	var names []string
	for name, value := range r.labels {
		if value != "" && !strings.HasPrefix(name, "__") && !nonAttributes[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names) // so that the same labels are always beyond the limit
	for _, name := range names {
		switch {
		case !isPlain(name, maxName) || !isPlain(r.labels[name], maxValue):
			r.problem(fmt.Errorf("%w: %.40q is too long, empty, or not plain text", errLabel, name))
		case len(r.common.Attributes) >= maxAttributes:
			r.problem(errManyLabels)
			return
		default:
			r.common.Attributes[attributeName(name)] = r.labels[name]
		}
	}
}

// isPlain reports whether text is short, valid and without control characters.
func isPlain(text string, longest int) bool {
	return text != "" && len(text) <= longest && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// resolve returns the target at an address.
//
//	10.0.0.5:6060                                            ->  http://10.0.0.5:6060/debug/pprof
//	cart.example.com {__scheme__="https"}                    ->  https://cart.example.com/debug/pprof
//	10.0.0.5:8080 {__metrics_path__="/pprof"}                ->  http://10.0.0.5:8080/pprof
//	10.0.0.5:8080 {annotated otel-goroutine/pprof-port=6060} ->  http://10.0.0.5:6060/debug/pprof
func (r *resolver) resolve(address string) (Target, error) {
	if address == "" || len(address) > maxAddress || strings.ContainsAny(address, "/?#@\\") {
		return Target{}, fmt.Errorf("%w, not %.80q", errAddress, address)
	}
	if port := r.labels[annotatedPort]; port != "" {
		address = net.JoinHostPort(hostOf(address), port)
	}
	if where := r.labels.firstOf(annotatedPath, labelPath); where != "" {
		address += path.Clean("/" + where)
	}
	if scheme := r.labels.firstOf(annotatedScheme, labelScheme); scheme != "" {
		address = strings.ToLower(scheme) + "://" + address
	}
	at, err := FromEndpoint(address)
	if err != nil {
		return Target{}, fmt.Errorf("%.80q: %w", address, err)
	}
	t := r.common
	t.ID, t.Endpoint = at.ID, at.Endpoint
	return t, nil
}

// FromEndpoint returns the target at an endpoint, without attributes.
func FromEndpoint(address string) (Target, error) {
	u, err := endpoint.Parse(address)
	if err != nil {
		return Target{}, err
	}
	return Target{ID: endpoint.Identity(u), Endpoint: u.String()}, nil
}

// hostOf returns the host of an address with or without a port.
func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return strings.Trim(address, "[]")
}

// nonAttributes are labels that do not become attributes: the receiver sets the identity of a
// target, and serviceName reads the names of the service.
var nonAttributes = map[string]bool{
	"server.address": true, "server.port": true, "service.instance.id": true, "instance": true,
	"service.name": true, "service_name": true, "job": true,
}

// attributeName returns the attribute for a label. It has the name of the label, except for
// attributes that identify the service, which older Prometheus spells without dots.
func attributeName(label string) string {
	switch label {
	case "service_namespace":
		return "service.namespace"
	case "service_version":
		return "service.version"
	case "deployment_environment_name":
		return "deployment.environment.name"
	case "k8s_cluster_name":
		return "k8s.cluster.name"
	}
	return label
}

// serviceNames are the labels with the name of the service: the label of the list, the annotation
// and the labels of the pod in the order of OpenTelemetry's conventions, and Prometheus' job.
var serviceNames = [...]string{
	"service.name", "service_name",
	metaAnnotation + "resource_opentelemetry_io_service_name",
	metaLabel + "app_kubernetes_io_instance", metaLabel + "app_kubernetes_io_name",
	"job",
}

// serviceName returns the name of the service, or "" if no label has it.
func serviceName(labels Labels) string {
	for _, label := range serviceNames {
		name := labels[label]
		if isPlain(name, maxName) {
			return name
		}
	}
	return ""
}
