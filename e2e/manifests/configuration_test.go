package manifests

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// instance is a collector in a pod.
type instance struct {
	name    string
	lean    bool
	configs []string // in the order of the arguments
	env     map[string]string
}

// collectors returns every collector in the pods of a kustomization or release.
func collectors(t *testing.T, name string, objects []runtime.Object) (found []instance) {
	t.Helper()
	configMaps := make(map[string]map[string]string)
	for _, object := range objects {
		if m, ok := object.(*corev1.ConfigMap); ok {
			configMaps[m.Name] = m.Data
		}
	}
	for _, w := range workloads(objects) {
		for _, container := range append(w.pod.Spec.InitContainers, w.pod.Spec.Containers...) {
			if !strings.Contains(container.Image, "/otelcol-goroutine") {
				continue
			}
			c := instance{name: name + ": " + w.name, lean: strings.Contains(container.Image, "-lean"), env: environment(t, container, configMaps)}
			for _, arg := range container.Args {
				if file, ok := strings.CutPrefix(arg, "--config="); ok {
					config := mounted(container, w.pod.Spec.Volumes, configMaps, file)
					require.NotEmpty(t, config, "%s: %s is not mounted", c.name, file)
					c.configs = append(c.configs, config)
				}
			}
			require.NotEmpty(t, c.configs, c.name)
			found = append(found, c)
		}
	}
	return found
}

// environment returns the environment variables of a container. Values that the cluster sets are the names of
// the variables.
func environment(t *testing.T, container corev1.Container, configMaps map[string]map[string]string) map[string]string {
	t.Helper()
	env := make(map[string]string)
	for _, from := range container.EnvFrom {
		if from.ConfigMapRef == nil {
			assert.True(t, from.SecretRef != nil && *from.SecretRef.Optional, "a required secret must be in the README")
			continue
		}
		require.Contains(t, configMaps, from.ConfigMapRef.Name)
		maps.Copy(env, configMaps[from.ConfigMapRef.Name])
	}
	for _, v := range container.Env {
		env[v.Name] = v.Value
		if v.ValueFrom != nil {
			env[v.Name] = strings.ToLower(strings.ReplaceAll(v.Name, "_", "-"))
		}
	}
	return env
}

// mounted returns the content of a file that is mounted from a ConfigMap.
func mounted(container corev1.Container, volumes []corev1.Volume, configMaps map[string]map[string]string, file string) string {
	for _, mount := range container.VolumeMounts {
		if mount.MountPath != path.Dir(file) {
			continue
		}
		for _, volume := range volumes {
			if volume.Name != mount.Name || volume.ConfigMap == nil {
				continue
			}
			key := path.Base(file)
			for _, item := range volume.ConfigMap.Items {
				if item.Path == key {
					key = item.Key
				}
			}
			return configMaps[volume.ConfigMap.Name][key]
		}
	}
	return ""
}

// operatorCollectors returns the collectors that the Operator would start.
func operatorCollectors(t *testing.T, objects []string) (found []instance) {
	t.Helper()
	for _, object := range objects {
		if !strings.Contains(object, "kind: OpenTelemetryCollector") {
			continue
		}
		var o struct {
			Metadata struct{ Name string }
			Spec     struct {
				Config map[string]any
				Env    []corev1.EnvVar
			}
		}
		require.NoError(t, yaml.Unmarshal([]byte(object), &o))
		config, err := yaml.Marshal(o.Spec.Config)
		require.NoError(t, err)
		found = append(found, instance{
			name:    "operator: " + o.Metadata.Name,
			configs: []string{string(config)},
			env:     environment(t, corev1.Container{Env: o.Spec.Env}, nil),
		})
	}
	return found
}

func instances(t *testing.T) (all []instance) {
	t.Helper()
	for name, objects := range build(t) {
		all = append(all, collectors(t, name, decode(t, objects))...)
		all = append(all, operatorCollectors(t, objects)...)
	}
	return all
}

// TestCollectorAcceptsEveryConfiguration validates the configuration of each pod with the collector of its
// image and only the environment variables of the pod.
func TestCollectorAcceptsEveryConfiguration(t *testing.T) {
	all := instances(t)
	assert.Len(t, all, 13)
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			out, err := validate(t, c)
			require.NoError(t, err, out)
			assert.NotContains(t, out, "unset environment variable")
		})
	}
	broken := all[0]
	broken.configs = append(broken.configs, "exporters: {load_balancing: {routing_keys: service}}\n")
	out, err := validate(t, broken)
	require.Error(t, err, "an unknown key is refused")
	assert.Contains(t, out, "routing_keys")
}

func validate(t *testing.T, c instance) (output string, err error) {
	t.Helper()
	args := []string{"validate"}
	for i, config := range c.configs {
		file := filepath.Join(t.TempDir(), fmt.Sprintf("%d.yaml", i))
		require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
		args = append(args, "--config", file)
	}
	binary := full
	if c.lean {
		binary = lean
	}
	cmd := exec.CommandContext(t.Context(), binary, args...)
	for key, value := range c.env {
		cmd.Env = append(cmd.Env, key+"="+value)
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestConfigurationsAreTheSame checks that Helm and the Operator install the same configurations as base.
func TestConfigurationsAreTheSame(t *testing.T) {
	want := make(map[string]any)
	for _, tier := range []string{"agent", "detector"} {
		text, err := os.ReadFile(filepath.Join(folder, "base", tier+".collector.yaml"))
		require.NoError(t, err)
		want["helm/"+tier+".yaml"] = configuration(t, string(text))
		want["operator: goroutine-"+tier] = configuration(t, string(text))
	}
	compared := 0
	for _, c := range instances(t) {
		same, ok := want[c.name]
		if release, _, _ := strings.Cut(c.name, ": "); !ok {
			same, ok = want[release]
		}
		if ok {
			compared++
			assert.Equal(t, same, configuration(t, c.configs[0]), c.name)
		}
	}
	assert.Equal(t, 4, compared)
}

// configuration parses a configuration. An empty section may be written as {} or omitted.
func configuration(t *testing.T, text string) map[string]any {
	t.Helper()
	var parsed map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &parsed))
	for _, section := range parsed {
		for key, value := range section.(map[string]any) {
			if value == nil {
				section.(map[string]any)[key] = map[string]any{}
			}
		}
	}
	return parsed
}
