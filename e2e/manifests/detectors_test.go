package manifests

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// TestAgentsKnowEveryDetector checks that agents have the list of all replicas of the detector, with the names
// of a headless Service.
func TestAgentsKnowEveryDetector(t *testing.T) {
	all := build(t)
	for agents, detectors := range map[string]string{
		"base": "base", "overlays/prometheus": "overlays/prometheus", "overlays/namespace": "overlays/namespace",
		"overlays/allocator": "overlays/allocator",
		"helm/agent.yaml":    "helm/detector.yaml",
	} {
		var set *appsv1.StatefulSet
		headless := make(map[string]bool)
		for _, object := range decode(t, all[detectors]) {
			switch o := object.(type) {
			case *appsv1.StatefulSet:
				if o.Name == "goroutine-detector" {
					set = o
				}
			case *corev1.Service:
				headless[o.Name] = o.Spec.ClusterIP == corev1.ClusterIPNone
			}
		}
		require.NotNil(t, set, detectors)
		assert.True(t, headless[set.Spec.ServiceName], "%s: the Service of the StatefulSet", detectors)
		known := detectorsOf(t, collectors(t, agents, decode(t, all[agents])))
		assert.Equal(t, names(set.Name, set.Spec.ServiceName, *set.Spec.Replicas), known, agents)
	}
	// Names that the Operator generates.
	const generated = "goroutine-detector-collector"
	assert.Equal(t, names(generated, generated+"-headless", 3), detectorsOf(t, operatorCollectors(t, all["operator"])))
}

func names(set, service string, replicas int32) (all []string) {
	for i := range replicas {
		all = append(all, fmt.Sprintf("%s-%d.%s:4317", set, i, service))
	}
	return all
}

// detectorsOf returns the list of detectors in the environment of the agents.
func detectorsOf(t *testing.T, instances []instance) (detectors []string) {
	t.Helper()
	for _, c := range instances {
		if list := c.env["DETECTORS"]; list != "" {
			require.NoError(t, yaml.Unmarshal([]byte(list), &detectors))
		}
	}
	return detectors
}
