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

// TestAllocatorAssignsPodsToAgents decodes the configuration of the allocator strictly. It has its own types,
// since those of the allocator are only in the module of the Operator.
func TestAllocatorAssignsPodsToAgents(t *testing.T) {
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
	var selected []string
	for _, w := range workloads(decode(t, build(t)["overlays/allocator"])) {
		if agents.Matches(labelsOf(w.pod.ObjectMeta)) {
			selected = append(selected, w.name)
		}
	}
	assert.Equal(t, []string{"goroutine-agent"}, selected)
	for _, relabel := range config.Config.ScrapeConfigs[0].RelabelConfigs {
		assert.Contains(t, []string{"keep", "drop"}, relabel.Action, "the receiver needs the original labels")
	}
}
