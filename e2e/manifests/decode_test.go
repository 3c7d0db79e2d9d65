package manifests

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"sigs.k8s.io/yaml"
)

// crdFile is the custom resource definition of OpenTelemetryCollector. Its Go types are only in the module of
// the Operator.
const crdFile = "testdata/opentelemetry.io_opentelemetrycollectors.yaml.gz"

// decoder returns a decoder that refuses unknown fields.
func decoder(t *testing.T) runtime.Decoder {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, rbacv1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme,
		monitoringv1.AddToScheme,
	} {
		require.NoError(t, add(scheme))
	}
	return json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: true})
}

// decode decodes the objects of one kustomization or release. It validates an OpenTelemetryCollector by its
// definition and omits it from the result.
func decode(t *testing.T, objects []string) []runtime.Object {
	t.Helper()
	var decoded []runtime.Object
	strict := decoder(t)
	for _, object := range objects {
		if strings.Contains(object, "kind: OpenTelemetryCollector") {
			operator, err := collectorSchema()
			require.NoError(t, err)
			value, err := parse(object)
			require.NoError(t, err)
			require.NoError(t, operator.Validate(value), object)
			continue
		}
		o, _, err := strict.Decode([]byte(object), nil, nil)
		require.NoError(t, err, object)
		decoded = append(decoded, o)
	}
	return decoded
}

func parse(text string) (any, error) {
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(data))
}

func TestObjectsAreDecodedStrictly(t *testing.T) {
	for name, objects := range build(t) {
		assert.NotEmpty(t, objects, name)
		decode(t, objects)
	}
}

// TestMisspelledFieldIsRefused checks that decoder and schema are strict.
func TestMisspelledFieldIsRefused(t *testing.T) {
	_, _, err := decoder(t).Decode([]byte("apiVersion: apps/v1\nkind: DaemonSet\nspec: {templates: {}}"), nil, nil)
	require.ErrorContains(t, err, `unknown field "spec.templates"`)
	operator, err := collectorSchema()
	require.NoError(t, err)
	validate := func(text string) error {
		value, err := parse(text)
		require.NoError(t, err)
		return operator.Validate(value)
	}
	const collector = "apiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\nspec: {config: {receivers: {}, exporters: {}, service: {pipelines: {}}}, "
	require.NoError(t, validate(collector+"mode: daemonset}"))
	require.ErrorContains(t, validate(collector+"replica: 3}"), "replica")
	require.Error(t, validate(collector+"mode: pod}"))
}

// collectorSchema returns the schema of OpenTelemetryCollector v1beta1 without unknown fields. The API server
// would drop those silently.
var collectorSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	zipped, err := os.ReadFile(crdFile)
	if err != nil {
		return nil, err
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(unzipped)
	if err != nil {
		return nil, err
	}
	definition, err := parse(string(text))
	if err != nil {
		return nil, err
	}
	for _, v := range definition.(map[string]any)["spec"].(map[string]any)["versions"].([]any) {
		version := v.(map[string]any)
		if version["name"] != "v1beta1" {
			continue
		}
		schema := version["schema"].(map[string]any)["openAPIV3Schema"]
		closeObjects(schema)
		compiler := jsonschema.NewCompiler()
		if err := compiler.AddResource("collector", schema); err != nil {
			return nil, err
		}
		return compiler.Compile("collector")
	}
	return nil, errors.New(crdFile + " has no v1beta1")
})

// closeObjects sets additionalProperties to false in all objects of a schema that have properties.
func closeObjects(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		_, lists := s["properties"].(map[string]any)
		if _, open := s["additionalProperties"]; lists && !open && s["x-kubernetes-preserve-unknown-fields"] != true {
			s["additionalProperties"] = false
		}
		for _, inner := range s {
			closeObjects(inner)
		}
	case []any:
		for _, inner := range s {
			closeObjects(inner)
		}
	}
}
