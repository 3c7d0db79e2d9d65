package manifests

import (
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// TestNamedPortsExist checks that the selected pods have the ports that an object names. Neither Kubernetes nor
// Prometheus reports a missing port.
func TestNamedPortsExist(t *testing.T) {
	compared := 0
	for name, objects := range build(t) {
		if name == "monitoring" { // has no pods
			continue
		}
		decoded := decode(t, objects)
		for _, object := range decoded {
			ports := portsOf(object)
			if len(ports) == 0 {
				continue
			}
			selector := selectorsOf(t, object)[0]
			for _, w := range workloads(decoded) {
				if !selector.Matches(labelsOf(w.pod.ObjectMeta)) {
					continue
				}
				for _, port := range ports {
					compared++
					assert.Contains(t, containerPorts(w), port, "%s: %T %s", name, object, object.(metav1.Object).GetName())
				}
			}
		}
	}
	assert.Greater(t, compared, 20)
}

// portsOf returns the names of the ports that an object refers to.
func portsOf(object runtime.Object) (names []string) {
	add := func(port *intstr.IntOrString) {
		if port != nil && port.Type == intstr.String {
			names = append(names, port.StrVal)
		}
	}
	switch o := object.(type) {
	case *corev1.Service:
		for _, port := range o.Spec.Ports {
			add(&port.TargetPort)
		}
	case *networkingv1.NetworkPolicy:
		for _, rule := range o.Spec.Ingress {
			for _, port := range rule.Ports {
				add(port.Port)
			}
		}
	case *monitoringv1.PodMonitor:
		for _, endpoint := range o.Spec.PodMetricsEndpoints {
			names = append(names, *endpoint.Port)
		}
	}
	return names
}

// containerPorts returns the names of the ports of a pod.
func containerPorts(w workload) (names []string) {
	for _, container := range w.pod.Spec.Containers {
		for _, port := range container.Ports {
			names = append(names, port.Name)
		}
	}
	return names
}
