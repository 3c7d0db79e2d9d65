package manifests

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// TestAllocatorSharesPodsOutToAgents reads the configuration of the allocator by the keys
// that it is to have, no others. The allocator's own types are in no module that can be had
// alone.
func TestAllocatorSharesPodsOutToAgents(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(folder, "overlays", "allocator", "targetallocator.yaml"))
	require.NoError(t, err)
	var config struct {
		CollectorSelector  metav1.LabelSelector `json:"collector_selector"`
		AllocationStrategy string               `json:"allocation_strategy"`
		FilterStrategy     string               `json:"filter_strategy"`
		Config             struct {
			ScrapeConfigs []struct {
				JobName             string `json:"job_name"`
				KubernetesSDConfigs []struct {
					Role string `json:"role"`
				} `json:"kubernetes_sd_configs"`
				RelabelConfigs []struct {
					SourceLabels []string `json:"source_labels"`
					Regex        string   `json:"regex"`
					Action       string   `json:"action"`
				} `json:"relabel_configs"`
			} `json:"scrape_configs"`
		} `json:"config"`
	}
	require.NoError(t, yaml.UnmarshalStrict(text, &config))
	agents := selector(t, &config.CollectorSelector)
	var shared []string
	for _, w := range workloads(decode(t, build(t)["overlays/allocator"])) {
		if agents.Matches(labelsOf(w.pod.ObjectMeta)) {
			shared = append(shared, w.name)
		}
	}
	assert.Equal(t, []string{"goroutine-agent"}, shared)
	for _, relabel := range config.Config.ScrapeConfigs[0].RelabelConfigs {
		assert.Contains(t, []string{"keep", "drop"}, relabel.Action, "the allocator serves the labels that it has found")
	}
}
