package semconv

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

const metadataFile = "receiver/goroutinereceiver/metadata.yaml"

// metadata is what the receiver is generated from.
type metadata struct {
	SemconvVersion     string         `yaml:"sem_conv_version"`
	ResourceAttributes map[string]any `yaml:"resource_attributes"`
	Attributes         map[string]struct {
		RequirementLevel string   `yaml:"requirement_level"`
		Type             string   `yaml:"type"`
		Enum             []string `yaml:"enum"`
	} `yaml:"attributes"`
	Metrics map[string]struct {
		Unit       string   `yaml:"unit"`
		Stability  string   `yaml:"stability"`
		Attributes []string `yaml:"attributes"`
		Gauge      any      `yaml:"gauge"`
		Sum        *struct {
			Monotonic bool `yaml:"monotonic"`
		} `yaml:"sum"`
	} `yaml:"metrics"`
}

// TestReceiver holds metadata.yaml of the receiver and the registry to the same metrics.
func TestReceiver(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(metadataFile)))
	require.NoError(t, err)
	var of metadata
	require.NoError(t, yaml.Unmarshal(text, &of))
	r := loaded(t)
	assert.True(t, strings.HasSuffix(r.Dependency, "/"+of.SemconvVersion), "the conventions of OpenTelemetry are of one version")

	// A histogram is built by hand: the generated builder has none.
	assert.Equal(t, "histogram", r.metric(t, telemetry.OriginLifetime).Instrument)
	checkSameNames(t, "metric", source{metricsFile + " (emitted_by: receiver)", r.namesOf("receiver")},
		source{metadataFile, append(keys(of.Metrics), telemetry.OriginLifetime)})
	for name, m := range of.Metrics {
		registered := r.metric(t, name)
		assert.Equal(t, registered.Unit, m.Unit, name)
		instrument := "gauge"
		if m.Sum != nil {
			instrument = map[bool]string{true: "counter", false: "updowncounter"}[m.Sum.Monotonic]
		}
		assert.Equal(t, registered.Instrument, instrument, name)
		if !registered.Imported {
			assert.Equal(t, registered.Stability, m.Stability, name)
		}
		// What is merely recommended a process may tell of itself.
		registered.Attributes = slices.DeleteFunc(slices.Clone(registered.Attributes), func(a Attribute) bool {
			return a.Level == "recommended" && !slices.Contains(m.Attributes, a.Key)
		})
		assert.Equal(t, attributeKeys(registered.Attributes), append([]string{}, m.Attributes...), name)
		for i, a := range registered.Attributes {
			if values := of.Attributes[a.Key].Enum; values != nil {
				assert.Equal(t, a.values(), values, a.Key)
			}
			if i > 0 || a.Level != "required" { // the first may tell what the point is of
				assert.Equal(t, of.Attributes[a.Key].RequirementLevel, a.Level, "%s of %s", a.Key, name)
			}
			if a.Type != "" && a.Type != "enum" {
				assert.Equal(t, a.Type, of.Attributes[a.Key].Type, a.Key)
			}
		}
	}
	checkSameNames(t, "resource attribute", source{attributesFile, attributeKeys(r.Resource)}, source{metadataFile, keys(of.ResourceAttributes)})
}

// namesOf returns the names of the metrics that a part of the project emits.
func (r *Registry) namesOf(part string) []string {
	var names []string
	for _, m := range r.Metrics {
		for _, by := range m.EmittedBy {
			if by == part {
				names = append(names, m.Name)
			}
		}
	}
	return names
}

func attributeKeys(attributes []Attribute) []string {
	all := []string{}
	for _, a := range attributes {
		all = append(all, a.Key)
	}
	return all
}
