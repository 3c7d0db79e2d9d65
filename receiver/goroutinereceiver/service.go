package goroutinereceiver

import "strings"

// serviceAttributes are those that, beside its name, the replicas of a service have in common,
// and no other service has.
var serviceAttributes = [...]string{
	"service.namespace", "deployment.environment.name", "k8s.cluster.name", "k8s.namespace.name",
}

// service names what the target has in common with its replicas: the service, and its build
// as far as it is known, since the lines move from one to the next. Nothing is known to be a
// replica of a target without a name.
func (t *target) service() string {
	parts := []string{t.build.id, t.serviceName}
	for _, key := range serviceAttributes {
		parts = append(parts, t.attributes[key])
	}
	if t.serviceName == unknownService {
		parts = append(parts, t.name)
	}
	return strings.Join(parts, "\x00")
}
