package targetlist

import (
	"maps"
	"strings"
)

// Prefixes of Prometheus' labels for annotations and labels of a pod.
const (
	metaAnnotation = "__meta_kubernetes_pod_annotation_"
	metaLabel      = "__meta_kubernetes_pod_label_"
)

// Prometheus' labels for the annotations of a pod that choose how it is scraped:
// otel-goroutine/pprof-port and so on, of which examples/collector/kubernetes.yaml has the port.
const (
	annotatedPort    = metaAnnotation + "otel_goroutine_pprof_port"
	annotatedScheme  = metaAnnotation + "otel_goroutine_pprof_scheme"
	annotatedPath    = metaAnnotation + "otel_goroutine_pprof_path"
	annotatedCapture = metaAnnotation + "otel_goroutine_pprof_capture"
)

// KubernetesAttributes is the fixed table from Prometheus' labels for Kubernetes to the
// attributes of OpenTelemetry's conventions. The first label that is present sets an attribute.
var KubernetesAttributes = [...]struct{ Label, Attribute string }{
	{"__meta_kubernetes_namespace", "k8s.namespace.name"},
	{"__meta_kubernetes_pod_name", "k8s.pod.name"},
	{"__meta_kubernetes_pod_uid", "k8s.pod.uid"},
	{"__meta_kubernetes_pod_container_name", "k8s.container.name"},
	{"__meta_kubernetes_pod_node_name", "k8s.node.name"},
	{"__meta_kubernetes_node_name", "k8s.node.name"},
	{"__meta_kubernetes_endpoint_node_name", "k8s.node.name"},
	{metaAnnotation + "resource_opentelemetry_io_service_namespace", "service.namespace"},
	{"__meta_kubernetes_namespace", "service.namespace"},
	{metaAnnotation + "resource_opentelemetry_io_service_version", "service.version"},
	{metaLabel + "app_kubernetes_io_version", "service.version"},
	{metaAnnotation + "resource_opentelemetry_io_deployment_environment_name", "deployment.environment.name"},
	{metaAnnotation + "resource_opentelemetry_io_k8s_cluster_name", "k8s.cluster.name"},
}

// attributePodUID distinguishes pods that have the same address one after the other.
const attributePodUID = "k8s.pod.uid"

// controllers maps the kind of a pod's controller to the attribute for its name.
var controllers = map[string]string{
	"ReplicaSet":  "k8s.replicaset.name",
	"StatefulSet": "k8s.statefulset.name",
	"DaemonSet":   "k8s.daemonset.name",
	"CronJob":     "k8s.cronjob.name",
	"Job":         "k8s.job.name",
}

// workloads are the attributes that name a service without a name of its own, in the order of
// OpenTelemetry's conventions.
var workloads = [...]string{
	"k8s.deployment.name", "k8s.replicaset.name", "k8s.statefulset.name", "k8s.daemonset.name",
	"k8s.cronjob.name", "k8s.job.name", "k8s.pod.name",
}

// Other labels of Prometheus' Kubernetes discovery.
const (
	labelContainerID    = "__meta_kubernetes_pod_container_id"
	labelControllerKind = "__meta_kubernetes_pod_controller_kind"
	labelControllerName = "__meta_kubernetes_pod_controller_name"
	labelTemplateHash   = metaLabel + "pod_template_hash"
)

// usedMetaLabels are the used labels with the prefix __.
var usedMetaLabels = func() map[string]bool {
	all := map[string]bool{
		labelScheme: true, labelPath: true,
		annotatedPort: true, annotatedScheme: true, annotatedPath: true, annotatedCapture: true,
		labelContainerID: true, labelControllerKind: true, labelControllerName: true, labelTemplateHash: true,
	}
	for _, row := range KubernetesAttributes {
		all[row.Label] = true
	}
	for _, label := range serviceNames {
		all[label] = true
	}
	return all
}()

// isUsed reports whether a label affects a target.
func isUsed(label string) bool { return !strings.HasPrefix(label, "__") || usedMetaLabels[label] }

func kubernetesAttributes(labels Labels) map[string]string {
	attributes := make(map[string]string)
	set := func(attribute, value string) {
		if _, known := attributes[attribute]; !known && isPlain(value, maxValue) {
			attributes[attribute] = value
		}
	}
	for _, row := range KubernetesAttributes {
		set(row.Attribute, labels[row.Label])
	}
	// containerd://9a7c72f1...
	if _, id, found := strings.Cut(labels[labelContainerID], "://"); found {
		set("container.id", id)
	}
	kind, name := labels[labelControllerKind], labels[labelControllerName]
	if attribute, known := controllers[kind]; known {
		set(attribute, name)
	}
	// A Deployment names its ReplicaSets by itself and the hash that it labels their pods with.
	hash := labels[labelTemplateHash]
	if deployment, cut := strings.CutSuffix(name, "-"+hash); kind == "ReplicaSet" && hash != "" && cut {
		set("k8s.deployment.name", deployment)
	}
	return attributes
}

func workload(attributes map[string]string) string {
	for _, attribute := range workloads {
		if name := attributes[attribute]; name != "" {
			return name
		}
	}
	return ""
}

// firstOf returns the value of the first label that is present.
func (l Labels) firstOf(names ...string) string {
	for _, name := range names {
		if value := l[name]; value != "" {
			return value
		}
	}
	return ""
}

// withDefaults returns l with missing labels added from base.
func (l Labels) withDefaults(base Labels) Labels {
	if len(base) == 0 {
		return l
	}
	all := maps.Clone(base)
	maps.Copy(all, l)
	return all
}
