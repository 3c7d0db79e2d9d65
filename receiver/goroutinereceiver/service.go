package goroutinereceiver

import "strings"

// serviceAttributes identify a service, together with its name.
var serviceAttributes = [...]string{
	"service.namespace", "deployment.environment.name", "k8s.cluster.name", "k8s.namespace.name",
}

// serviceKey returns the key that a target shares with its replicas: the service and the build, if
// known, since line numbers differ between builds. A target without a service name has no
// replicas.
func (t *target) serviceKey() string {
	parts := []string{t.build.id, t.serviceName}
	for _, key := range serviceAttributes {
		parts = append(parts, t.attributes[key])
	}
	if t.serviceName == unknownService {
		parts = append(parts, t.name)
	}
	return strings.Join(parts, "\x00")
}
