package manifests

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

var kustomizationBlock = regexp.MustCompile("(?s)```yaml\n(apiVersion: kustomize.*?)```")

// TestInstallAsTheReadmeSays builds the kustomization in the README, in a folder beside a clone.
func TestInstallAsTheReadmeSays(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(folder, "README.md"))
	require.NoError(t, err)
	shown := kustomizationBlock.FindSubmatch(readme)
	require.NotNil(t, shown, "the README shows no kustomization")
	own := t.TempDir()
	clone, err := filepath.Abs(filepath.Join(folder, "..", ".."))
	require.NoError(t, err)
	require.NoError(t, os.Symlink(clone, filepath.Join(own, "otel-goroutine")))
	require.NoError(t, os.WriteFile(filepath.Join(own, "kustomization.yaml"), shown[1], 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(own, "token.env"), []byte("OTLP_TOKEN=secret\n"), 0o600))
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), own)
	require.NoError(t, err)

	var objects []string
	for _, resource := range resources.Resources() {
		objects = append(objects, resource.MustYaml())
	}
	decoded := decode(t, objects)
	secret, settings := "", map[string]string{}
	for _, object := range decoded {
		switch o := object.(type) {
		case *corev1.Secret:
			secret = o.Name
			assert.Equal(t, "secret", string(o.Data["OTLP_TOKEN"]))
		case *corev1.ConfigMap:
			if strings.HasPrefix(o.Name, "goroutine-settings") {
				settings = o.Data
			}
		}
	}
	assert.Equal(t, "eu-west-1", settings["K8S_CLUSTER_NAME"])
	assert.NotEmpty(t, settings["DETECTORS"], "a setting of the base")
	pods := workloads(decoded)
	assert.Len(t, pods, 2)
	for _, w := range pods {
		container := w.pod.Spec.Containers[0]
		assert.Equal(t, "registry.example.com/otelcol-goroutine:0.1.0", container.Image)
		if w.name == "goroutine-detector" {
			require.Len(t, container.EnvFrom, 2)
			assert.Equal(t, secret, container.EnvFrom[1].SecretRef.Name)
		}
	}
}
