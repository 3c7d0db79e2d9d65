package manifests

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// chartFile is the chart to which the values belong.
const chartFile = "testdata/opentelemetry-collector-0.170.0.tgz"

// kustomizations are the folders for kubectl apply -k.
var kustomizations = []string{"base", "overlays/prometheus", "overlays/namespace", "overlays/allocator", "operator", "sidecar/example", "monitoring"}

// releases are the values files of the chart.
var releases = []string{"helm/agent.yaml", "helm/detector.yaml"}

// build returns the objects of each kustomization and release, as YAML.
func build(t *testing.T) map[string][]string {
	t.Helper()
	all, err := built()
	require.NoError(t, err)
	return all
}

var built = sync.OnceValues(func() (map[string][]string, error) {
	all := make(map[string][]string)
	for _, name := range kustomizations {
		objects, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(folder, name))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, resource := range objects.Resources() {
			all[name] = append(all[name], resource.MustYaml())
		}
	}
	for _, name := range releases {
		objects, err := render(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all[name] = objects
	}
	return all, nil
})

// render renders the chart and validates the values as helm install does.
func render(name string) (objects []string, err error) {
	chart, err := loader.Load(chartFile)
	if err != nil {
		return nil, err
	}
	values, err := chartutil.ReadValuesFile(filepath.Join(folder, name))
	if err != nil {
		return nil, err
	}
	release := chartutil.ReleaseOptions{Name: strings.TrimSuffix(filepath.Base(name), ".yaml"), Namespace: "otel-goroutine", IsInstall: true}
	cluster := chartutil.DefaultCapabilities.Copy()
	cluster.KubeVersion = chartutil.KubeVersion{Version: "v1.35.0", Major: "1", Minor: "35"}
	cluster.APIVersions = append(cluster.APIVersions, "policy/v1")
	merged, err := chartutil.ToRenderValues(chart, values, release, cluster)
	if err != nil {
		return nil, err
	}
	rendered, err := engine.Render(chart, merged)
	if err != nil {
		return nil, err
	}
	for _, file := range slices.Sorted(maps.Keys(rendered)) {
		if filepath.Ext(file) == ".yaml" && strings.TrimSpace(rendered[file]) != "" {
			objects = append(objects, rendered[file])
		}
	}
	return objects, nil
}

// TestEveryKustomizationIsBuilt checks that kustomizations has every folder except components.
func TestEveryKustomizationIsBuilt(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(folder, "*", "kustomization.yaml"))
	require.NoError(t, err)
	nested, err := filepath.Glob(filepath.Join(folder, "*", "*", "kustomization.yaml"))
	require.NoError(t, err)
	var found []string
	for _, file := range append(files, nested...) {
		name, err := filepath.Rel(folder, filepath.Dir(file))
		require.NoError(t, err)
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		if !strings.Contains(string(content), "kind: Component") {
			found = append(found, filepath.ToSlash(name))
		}
	}
	require.ElementsMatch(t, append([]string{"rbac"}, kustomizations...), found)
}
