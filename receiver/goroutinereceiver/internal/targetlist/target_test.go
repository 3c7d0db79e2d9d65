package targetlist

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// resolved returns the target of a group with one address, and the number of problems.
func resolved(t *testing.T, address string, labels Labels) (Target, int) {
	t.Helper()
	var list List
	require.NoError(t, list.add(group{Targets: []string{address}, Labels: labels}, nil))
	require.Len(t, list.Targets, 1, "%v", list.Problem)
	return list.Targets[0], list.Problems
}

func TestEndpointByLabels(t *testing.T) {
	for _, test := range []struct {
		address string
		labels  Labels
		want    string
	}{
		{"10.0.0.5:6060", nil, "http://10.0.0.5:6060/debug/pprof"},
		{"cart.example.com", Labels{labelScheme: "https"}, "https://cart.example.com/debug/pprof"},
		{"cart:80", Labels{labelScheme: "HTTPS", labelPath: "internal/pprof/"}, "https://cart:80/internal/pprof"},
		{"cart:80", Labels{labelPath: "/"}, "http://cart:80/debug/pprof"},
		{"cart:80", Labels{labelPath: "/a/../debug//pprof/"}, "http://cart:80/debug/pprof"},
		{"10.0.0.5:8080", Labels{annotatedPort: "6060"}, "http://10.0.0.5:6060/debug/pprof"},
		{"10.0.0.5", Labels{annotatedPort: "6060"}, "http://10.0.0.5:6060/debug/pprof"},
		{"[fd00::5]:8080", Labels{annotatedPort: "6060"}, "http://[fd00::5]:6060/debug/pprof"},
		{"fd00::5", Labels{annotatedPort: "6060"}, "http://[fd00::5]:6060/debug/pprof"},
		{"cart:80", Labels{labelScheme: "http", annotatedScheme: "https", labelPath: "/metrics", annotatedPath: "/pprof"}, "https://cart:80/pprof"},
	} {
		target, problems := resolved(t, test.address, test.labels)
		assert.Equal(t, test.want, target.Endpoint)
		assert.Zero(t, problems)
	}
}

// TestPod resolves a pod of a Deployment with Prometheus' labels.
func TestPod(t *testing.T) {
	target, problems := resolved(t, "10.0.0.5:6060", Labels{
		"__address__":                                             "10.0.0.5:6060",
		"__meta_kubernetes_namespace":                             "shop",
		"__meta_kubernetes_pod_name":                              "cart-5d8f9c7b6-x7k2p",
		"__meta_kubernetes_pod_uid":                               "0c1d",
		"__meta_kubernetes_pod_ip":                                "10.0.0.5",
		"__meta_kubernetes_pod_node_name":                         "node-7",
		"__meta_kubernetes_pod_container_name":                    "server",
		"__meta_kubernetes_pod_container_id":                      "containerd://9a7c72f1",
		"__meta_kubernetes_pod_controller_kind":                   "ReplicaSet",
		"__meta_kubernetes_pod_controller_name":                   "cart-5d8f9c7b6",
		"__meta_kubernetes_pod_label_pod_template_hash":           "5d8f9c7b6",
		"__meta_kubernetes_pod_label_app_kubernetes_io_version":   "1.8.2",
		"__meta_kubernetes_pod_labelpresent_pod_template_hash":    "true",
		"__meta_kubernetes_pod_annotation_otel_goroutine_secret":  "x",
		"__meta_kubernetes_pod_annotation_unrelated_password_for": "y",
		annotatedCapture:                                          "profile",
		"team":                                                    "shop",
	})
	assert.Zero(t, problems)
	assert.Equal(t, Target{
		ID: "10.0.0.5:6060", Endpoint: "http://10.0.0.5:6060/debug/pprof", Workload: "cart", Capture: "profile",
		Attributes: map[string]string{
			"k8s.namespace.name": "shop", "k8s.pod.name": "cart-5d8f9c7b6-x7k2p", "k8s.pod.uid": "0c1d", "k8s.node.name": "node-7",
			"k8s.container.name": "server", "container.id": "9a7c72f1", "k8s.replicaset.name": "cart-5d8f9c7b6", "k8s.deployment.name": "cart",
			"service.namespace": "shop", "service.version": "1.8.2", "team": "shop",
		},
	}, target)
}

func TestServiceName(t *testing.T) {
	annotated := metaAnnotation + "resource_opentelemetry_io_service_name"
	all := []string{"service.name", "service_name", annotated, metaLabel + "app_kubernetes_io_instance", metaLabel + "app_kubernetes_io_name", "job"}
	labels := make(Labels)
	for _, label := range all {
		labels[label] = "by " + label
	}
	for _, label := range all { // from the first to the last
		target, _ := resolved(t, "a:1", labels)
		assert.Equal(t, "by "+label, target.ServiceName)
		assert.Empty(t, target.Attributes)
		delete(labels, label)
	}
	for kind, want := range map[string]string{"StatefulSet": "db", "DaemonSet": "db", "Job": "db", "Node": "db-0", "": "db-0"} {
		target, _ := resolved(t, "a:1", Labels{
			"__meta_kubernetes_pod_name": "db-0", "__meta_kubernetes_pod_controller_kind": kind, "__meta_kubernetes_pod_controller_name": "db",
		})
		assert.Empty(t, target.ServiceName)
		assert.Equal(t, want, target.Workload, kind)
	}
}

// TestHostileLabels checks that labels cannot change the identity of a target, and that their
// number and size are limited.
func TestHostileLabels(t *testing.T) {
	labels := Labels{
		"": "x", "a\nb": "x", "\xff\xfe": "x", strings.Repeat("n", 10_000): "x",
		"long": strings.Repeat("v", 10_000), "binary": "\x00\xff",
		"service.instance.id": "another:1", "server.address": "another", "server.port": "1", "instance": "another:1",
		"__address__": "another:1", "__meta_kubernetes_pod_container_id": "no id", "__param_seconds": "3600",
		"__meta_kubernetes_pod_uid": strings.Repeat("u", 5000), annotatedCapture: "heap",
		"service.name": "a\x00b", "job": "cart", "team": "shop", "ünïcode": "ja", "__proto__": "x", "empty": "",
	}
	target, problems := resolved(t, "a:1", labels)
	assert.Equal(t, 7, problems)
	assert.Equal(t, "a:1", target.ID)
	assert.Equal(t, "cart", target.ServiceName)
	assert.Empty(t, target.Capture)
	assert.Equal(t, map[string]string{"team": "shop", "ünïcode": "ja"}, target.Attributes)

	many := make(Labels)
	for i := range 200 {
		many[fmt.Sprintf("label_%03d", i)] = "x"
	}
	target, problems = resolved(t, "a:1", many)
	assert.Equal(t, 1, problems)
	assert.Len(t, target.Attributes, maxAttributes)
	assert.Contains(t, target.Attributes, "label_063", "the same labels are always beyond the limit")
}

func TestLabelsOfTheSource(t *testing.T) {
	list, err := JSON([]byte(`[{"targets": ["a:1"]}, {"targets": ["b:1"], "labels": {"service.name": "payment"}}]`), Labels{"service.name": "cart", "team": "shop", labelScheme: "https"})
	require.NoError(t, err)
	assert.Equal(t, []string{"https://a:1/debug/pprof", "https://b:1/debug/pprof"}, endpoints(list))
	assert.Equal(t, "cart", list.Targets[0].ServiceName)
	assert.Equal(t, "payment", list.Targets[1].ServiceName)
	assert.Equal(t, "shop", list.Targets[1].Attributes["team"])
}

func TestMerge(t *testing.T) {
	a := Target{ID: "a:1", Endpoint: "http://a:1/debug/pprof", Attributes: map[string]string{"team": "shop"}}
	second := Target{ID: "a:1", Endpoint: "https://a:1/debug/pprof", ServiceName: "cart", Workload: "w", Capture: "profile", Attributes: map[string]string{"team": "other", "k8s.pod.uid": "1"}}
	third := Target{ID: "a:1", ServiceName: "third", Attributes: map[string]string{"zone": "z"}}
	other := Target{ID: "b:1"}
	merged := Merge(Shard{}, []Target{a}, []Target{second, other}, []Target{third, other})
	assert.Equal(t, map[string]Target{
		"a:1": {ID: "a:1", Endpoint: "http://a:1/debug/pprof", ServiceName: "cart", Workload: "w", Capture: "profile", Attributes: map[string]string{"team": "shop", "k8s.pod.uid": "1", "zone": "z"}},
		"b:1": {ID: "b:1"},
	}, merged)
	assert.Len(t, a.Attributes, 1, "other targets may share them")
	again := merged["a:1"]
	assert.True(t, again.Equal(merged["a:1"]))
	assert.False(t, merged["a:1"].Equal(second))
	assert.Equal(t, map[string]string{"zone": "z"}, Merge(Shard{}, []Target{{ID: "a:1"}}, []Target{third})["a:1"].Attributes)
}

func TestSameProcess(t *testing.T) {
	pod := func(uid string) Target { return Target{Attributes: map[string]string{"k8s.pod.uid": uid}} }
	assert.True(t, pod("1").SameProcess(pod("1")))
	assert.True(t, Target{}.SameProcess(pod("1")))
	assert.True(t, pod("1").SameProcess(Target{}))
	assert.False(t, pod("1").SameProcess(pod("2")))
}

// TestShards checks that each target has one owner, that shards have similar sizes, and that adding
// a shard moves only the targets it takes over.
func TestShards(t *testing.T) {
	const targets = 50_000
	owner := func(id string, count int) int {
		owner := -1
		for index := range count {
			if (Shard{Index: index, Count: count}).Owns(id) {
				if owner >= 0 {
					t.Fatalf("%s has two owners", id)
				}
				owner = index
			}
		}
		if owner < 0 {
			t.Fatalf("%s has no owner", id)
		}
		return owner
	}
	for _, count := range []int{1, 2, 3, 10, 20} {
		t.Run(strconv.Itoa(count), func(t *testing.T) {
			moved, sizes := 0, make([]int, count+1)
			for i := range targets {
				id := fmt.Sprintf("10.%d.%d.%d:6060", i/65536, i/256%256, i%256)
				before, after := owner(id, count), owner(id, count+1)
				sizes[after]++
				if before != after {
					moved++
					if after != count {
						t.Fatalf("%s moved from one old shard to another", id)
					}
				}
			}
			share := float64(moved) / targets
			t.Logf("from %d to %d shards moved %.4f of the targets, 1/(N+1) is %.4f", count, count+1, share, 1/float64(count+1))
			assert.LessOrEqual(t, share, 1.1/float64(count+1))
			for index, size := range sizes {
				assert.InEpsilon(t, targets/(count+1), size, 0.1, "shard %d", index)
			}
		})
	}
}

// TestShardsAreStable checks owners against fixed values, since shards of different versions must
// agree.
func TestShardsAreStable(t *testing.T) {
	var owners []int
	for i := range 12 {
		for index := range 5 {
			if (Shard{Index: index, Count: 5}).Owns(fmt.Sprintf("10.0.0.%d:6060", i)) {
				owners = append(owners, index)
			}
		}
	}
	assert.Equal(t, []int{1, 1, 4, 4, 4, 4, 2, 0, 3, 4, 2, 3}, owners)
}
