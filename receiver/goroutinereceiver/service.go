package goroutinereceiver

import "strings"

// serviceAttributes are those that the replicas of a service have in common, and no other
// service has.
var serviceAttributes = [...]string{
	"service.namespace", "service.name", "deployment.environment.name", "k8s.cluster.name", "k8s.namespace.name",
}

// service names what the target has in common with its replicas: the service, and its build
// as far as it is known, since the lines move from one to the next. Nothing is known to be a
// replica of a target without a name.
func (t *target) service() string {
	of := func(key string) string {
		value, known := t.resource.Attributes().Get(key)
		if !known {
			return ""
		}
		return value.AsString()
	}
	parts := []string{t.build.id}
	for _, key := range serviceAttributes {
		parts = append(parts, of(key))
	}
	if name := of("service.name"); name == "" || name == unknownService {
		parts = append(parts, t.name)
	}
	return strings.Join(parts, "\x00")
}
