package semconv

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	conventions "go.opentelemetry.io/otel/semconv/v1.38.0"
)

func loaded(t *testing.T) *Registry {
	t.Helper()
	r, err := Load()
	require.NoError(t, err)
	return r
}

func (r *Registry) metric(t *testing.T, name string) Metric {
	t.Helper()
	i := slices.IndexFunc(r.Metrics, func(m Metric) bool { return m.Name == name })
	require.GreaterOrEqual(t, i, 0, "%s lacks %s", metricsFile, name)
	return r.Metrics[i]
}

func (r *Registry) event(t *testing.T, name string) Event {
	t.Helper()
	i := slices.IndexFunc(r.Events, func(e Event) bool { return e.Name == name })
	require.GreaterOrEqual(t, i, 0, "%s lacks %s", eventsFile, name)
	return r.Events[i]
}

func TestRegistry(t *testing.T) {
	r := loaded(t)
	assert.Equal(t, "0.2.0", r.Version())
	assert.Equal(t, conventions.SchemaURL, r.Dependency, "the package is that of the dependency")
	severity := r.metric(t, "goroutine.leak.severity")
	assert.Equal(t, "{severity}", severity.Unit)
	assert.Len(t, severity.Attributes, 8, "those that it extends")
	failures := r.metric(t, "goroutine.scrape.failures")
	assert.Equal(t, "counter", failures.Instrument)
	assert.Equal(t, "error.type", failures.Attributes[0].Key)
	assert.Len(t, failures.Attributes[0].Members, 9)
	for _, m := range r.Metrics {
		assert.NotEmpty(t, m.Brief, m.Name)
		assert.NotEqual(t, "1", m.Unit, m.Name)
	}
}

// A small registry that is in order.
const (
	soundManifest = `
schema_url: https://example.com/registry/1.2.3
description: An example.
stability: alpha
dependencies:
  - {schema_url: https://opentelemetry.io/schemas/1.38.0, registry_path: https://example.com/v1.38.0.zip}
`
	soundModel = `
imports: {metrics: [go.goroutine.count]}
groups:
  - id: registry.x
    type: attribute_group
    brief: Attributes.
    attributes:
      - {id: x.kind, stability: alpha, brief: Kind., type: {members: [{id: a, value: a, stability: alpha, brief: A.}]}}
      - {id: x.name, stability: alpha, brief: Name., type: string, examples: [one], annotations: {signature_version: 7}}
  - id: attributes.x
    type: attribute_group
    brief: Both.
    attributes:
      - {ref: x.kind, requirement_level: required}
      - {ref: x.name, requirement_level: {conditionally_required: If there is one.}, brief: Its name.}
  - id: metric.x.count
    type: metric
    metric_name: x.count
    stability: alpha
    brief: Number of X.
    instrument: updowncounter
    unit: "{x}"
    extends: attributes.x
    attributes:
      - {ref: error.type, requirement_level: required, annotations: {members: [{id: b, value: b, stability: alpha, brief: B.}]}}
    annotations: {emitted_by: [receiver]}
  - id: event.x.happened
    type: event
    name: x.happened
    stability: beta
    brief: X happened.
    extends: attributes.x
    annotations: {emitted_by: [processor]}
`
)

func loadText(manifest, model string) (*Registry, error) {
	return load(fstest.MapFS{"manifest.yaml": {Data: []byte(manifest)}, "model.yaml": {Data: []byte(model)}})
}

func TestSoundRegistry(t *testing.T) {
	r, err := loadText(soundManifest, soundModel)
	require.NoError(t, err)
	assert.Equal(t, "1.2.3", r.Version())
	assert.Equal(t, 7, r.SignatureVersion)
	m := r.metric(t, "x.count")
	assert.Equal(t, []Attribute{
		{Key: "x.kind", Type: "enum", Brief: "Kind.", Stability: "alpha", Level: "required", Members: []Member{{"a", "a", "alpha", "A."}}},
		{Key: "x.name", Type: "string", Brief: "Its name.", Stability: "alpha", Level: conditionallyRequired, Condition: "If there is one.", Examples: []string{"one"}},
		{Key: "error.type", Level: "required", Members: []Member{{"b", "b", "alpha", "B."}}, DefinedByDependency: true},
	}, m.Attributes)
	assert.True(t, r.metric(t, "go.goroutine.count").Imported)
	assert.Equal(t, []Event{{
		Name: "x.happened", Brief: "X happened.", Stability: "beta", EmittedBy: []string{"processor"}, Attributes: m.Attributes[:2],
	}}, r.Events)
}

// TestUnsoundRegistry changes one thing in a registry that is in order.
func TestUnsoundRegistry(t *testing.T) {
	for name, tc := range map[string]struct{ old, now, want string }{
		"no YAML":                       {"groups:", "groups", "model.yaml"},
		"unknown key of the file":       {"groups:", "spans: []\ngroups:", "spans not found"},
		"unknown key of a group":        {"unit:", "unitt:", "unitt not found"},
		"unknown key of an attribute":   {"brief: Kind.", "note2: Kind.", "note2 not found"},
		"unknown key of an enumeration": {"type: {members", "type: {membres", "membres not found"},
		"unknown key of a value":        {"brief: A.", "note2: A.", "note2 not found"},
		"unknown key of annotations":    {"emitted_by", "sent_by", "sent_by not found"},
		"two documents":                 {"imports:", "a: b\n---\nimports:", "not found"},
		"another format":                {"imports:", "file_format: definition/2\nimports:", "file_format not found"},
		"group twice":                   {"id: attributes.x", "id: registry.x", "is there twice"},
		"no such type of group":         {"type: metric", "type: span", `type "span"`},
		"group without brief":           {"brief: Both.", "note: Both.", "no brief"},
		"no such metric to import":      {"go.goroutine.count", "go.goroutine.counts", "not known to be importable"},
		"ID of another metric":          {"id: metric.x.count", "id: metric.x.counts", "not the ID"},
		"no such instrument":            {"updowncounter", "summary", `instrument "summary"`},
		"unit 1":                        {`"{x}"`, `"1"`, `unit "1"`},
		"no such stability":             {"stability: alpha\n    brief: Number", "stability: good\n    brief: Number", `stability "good"`},
		"emitted by nobody":             {"[receiver]", "[]", "emitted by"},
		"emitted by somebody else":      {"[receiver]", "[receivers]", "emitted by"},
		"extends nothing":               {"extends: attributes.x", "extends: attributes.y", "extends"},
		"unit of a group of attributes": {"brief: Both.", "brief: Both.\n    unit: s", "not what an attribute_group has"},
		"no such attribute":             {"ref: x.kind", "ref: x.kinds", "defined nowhere"},
		"no such level":                 {"requirement_level: required}", "requirement_level: always}", `"always"`},
		"no level":                      {"ref: x.kind, requirement_level: required", "ref: x.kind", `requirement level ""`},
		"no condition":                  {"{conditionally_required: If there is one.}", "conditionally_required", "no condition"},
		"another condition":             {"conditionally_required", "recommended", "or conditionally_required with a condition"},
		"type of a use":                 {"ref: x.kind,", "ref: x.kind, type: string,", "no type"},
		"values of a use":               {"{ref: x.kind,", "{ref: x.kind, annotations: {members: [{id: c, value: c, stability: alpha, brief: C.}]},", "stand where it is defined"},
		"definition that is a use":      {"id: x.kind,", "id: x.kind, requirement_level: required,", "a definition has neither"},
		"definition without brief":      {"brief: Kind., ", "", "no brief"},
		"defined twice":                 {"id: x.name", "id: x.kind", "defined twice"},
		"no such type":                  {"type: string", "type: text", `type "text"`},
		"no examples":                   {", examples: [one]", "", "no examples"},
		"no values":                     {"[{id: a, value: a, stability: alpha, brief: A.}]", "[]", "no values"},
		"value twice":                   {"brief: A.}", "brief: A.}, {id: a, value: a, stability: alpha, brief: A.}", "there twice"},
		"value with another ID":         {"id: a, value: a", "id: a, value: c", "another ID"},
		"attribute that nobody has":     {"      - {ref: x.kind, requirement_level: required}\n", "", "x.kind: nothing has it"},
		"ID of another event":           {"id: event.x.happened", "id: event.x.happens", "not the ID"},
		"unit of an event":              {"name: x.happened", "name: x.happened\n    unit: s", "not what an event has"},
		"name of a metric":              {"metric_name: x.count", "metric_name: x.count\n    name: x.count", "not the ID"},
		"event emitted by nobody":       {"[processor]", "[]", "emitted by"},
		"no such stability of an event": {"stability: beta", "stability: good", `stability "good"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := loadText(soundManifest, replaceOnce(t, soundModel, tc.old, tc.now))
			require.ErrorContains(t, err, tc.want)
		})
	}
	for name, tc := range map[string]struct{ old, now, want string }{
		"unknown key":         {"description", "name", "name not found"},
		"no version":          {"registry/1.2.3", "registry", "does not end with a version"},
		"no stability":        {"stability: alpha", "stability: good", "no stability"},
		"another dependency":  {"v1.38.0.zip", "v1.39.0.zip", "is not at"},
		"without description": {"description: An example.\n", "", "no description"},
		"no dependency":       {"- {schema_url: https://opentelemetry.io/schemas/1.38.0, registry_path: https://example.com/v1.38.0.zip}", "[]", "0 dependencies"},
	} {
		t.Run("manifest: "+name, func(t *testing.T) {
			_, err := loadText(replaceOnce(t, soundManifest, tc.old, tc.now), soundModel)
			require.ErrorContains(t, err, tc.want)
		})
	}
	_, err := load(fstest.MapFS{"folder.yaml/x": {}})
	require.Error(t, err)
}

func replaceOnce(t *testing.T, text, old, now string) string {
	t.Helper()
	before, after, found := strings.Cut(text, old)
	require.True(t, found, old)
	return before + now + after
}

func TestNamesInPrometheus(t *testing.T) {
	r := loaded(t)
	for name, want := range map[string][4]string{
		"goroutine.scrape.up":        {"goroutine_scrape_up", "goroutine_scrape_up", "goroutine.scrape.up", "goroutine.scrape.up"},
		"goroutine.scrape.failures":  {"goroutine_scrape_failures_total", "goroutine_scrape_failures", "goroutine.scrape.failures_total", "goroutine.scrape.failures"},
		"goroutine.scrape.duration":  {"goroutine_scrape_duration_seconds", "goroutine_scrape_duration", "goroutine.scrape.duration_seconds", "goroutine.scrape.duration"},
		"memory.leak.growth_rate":    {"memory_leak_growth_rate_bytes_per_hour", "memory_leak_growth_rate", "memory.leak.growth_rate_bytes_per_hour", "memory.leak.growth_rate"},
		"goroutine.leak.growth_rate": {"goroutine_leak_growth_rate_per_hour", "goroutine_leak_growth_rate", "goroutine.leak.growth_rate_per_hour", "goroutine.leak.growth_rate"},
		"goroutine.stack.aged.exits": {"goroutine_stack_aged_exits_total", "goroutine_stack_aged_exits", "goroutine.stack.aged.exits_total", "goroutine.stack.aged.exits"},
		"go.goroutine.count":         {"go_goroutine_count", "go_goroutine_count", "go.goroutine.count", "go.goroutine.count"},
	} {
		for i, naming := range namings {
			got, err := r.metric(t, name).InPrometheus(naming)
			require.NoError(t, err)
			assert.Equal(t, want[i], got, naming)
		}
	}
}
