package semconv

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// constants returns the string constants of a package, name to value, with those that have
// a type of the package only if it is this one.
func constants(t *testing.T, folder, typeName string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(folder), "*.go"))
	require.NoError(t, err)
	found := map[string]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) == 0 || nameOf(spec.Type) != typeName {
				return true
			}
			if literal, ok := spec.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
				value, err := strconv.Unquote(literal.Value)
				require.NoError(t, err)
				found[spec.Names[0].Name] = value
			}
			return true
		})
	}
	require.NotEmpty(t, found)
	return found
}

func nameOf(e ast.Expr) string {
	if identifier, ok := e.(*ast.Ident); ok {
		return identifier.Name
	}
	return ""
}

// TestConstantsAreInTheRegistry holds internal/telemetry and the registry to the same names,
// both ways.
func TestConstantsAreInTheRegistry(t *testing.T) {
	r := loaded(t)
	var metrics, events, attributes, units []string
	for name, value := range constants(t, "internal/telemetry", "") {
		switch {
		case strings.HasPrefix(name, "Attr"):
			attributes = append(attributes, value)
		case strings.HasPrefix(name, "Unit"):
			units = append(units, value)
		case strings.HasPrefix(name, "Event"):
			events = append(events, value)
		case name == "StateIOWait": // one of those that TestValuesAreThoseOfTheCode holds
			assert.Equal(t, string(stack.StateIOWait), value)
		case name != "SignatureOther":
			metrics = append(metrics, value)
		}
	}
	registered, used, measured := []string{}, map[string]bool{}, map[string]bool{}
	for _, m := range r.Metrics {
		registered = append(registered, m.Name)
		measured[m.Unit] = true
	}
	for _, a := range r.used() {
		used[a.Key] = true
	}
	const code = "internal/telemetry"
	checkSameNames(t, "metric", source{code, metrics}, source{metricsFile, registered})
	var sent []string
	for _, e := range r.Events {
		sent = append(sent, e.Name)
	}
	checkSameNames(t, "event", source{code, events}, source{eventsFile, sent})
	checkSameNames(t, "attribute", source{code + " (Attr...)", attributes}, source{attributesFile + " (as used by metrics and events)", keys(used)})
	checkSameNames(t, "unit", source{code + " (Unit...)", units}, source{metricsFile, keys(measured)})
}

func TestSignatureVersion(t *testing.T) {
	r := loaded(t)
	assert.Equal(t, telemetry.SignatureVersion, r.SignatureVersion)
	signature := r.attribute(t, telemetry.AttrSignature)
	assert.Contains(t, signature.Examples, telemetry.SignatureOther)
}

func (r *Registry) attribute(t *testing.T, key string) Attribute {
	t.Helper()
	i := slices.IndexFunc(r.Attributes, func(a Attribute) bool { return a.Key == key })
	require.GreaterOrEqual(t, i, 0, "%s lacks %s", attributesFile, key)
	return r.Attributes[i]
}

// values returns the values that an attribute may have.
func (a Attribute) values() []string {
	var all []string
	for _, m := range a.Members {
		all = append(all, m.Value)
	}
	return all
}

// TestValuesAreThoseOfTheCode holds each enumeration to the constants of the code.
func TestValuesAreThoseOfTheCode(t *testing.T) {
	r := loaded(t)
	valuesOf := func(folder, typeName string) source {
		values := slices.Collect(maps.Values(constants(t, folder, typeName)))
		return source{folder + " (" + typeName + ")", slices.DeleteFunc(values, func(v string) bool { return v == "" })}
	}
	sources := source{"internal/stack (Source)", []string{string(stack.SourceTrace), string(stack.SourceProfile)}}
	for key, code := range map[string]source{
		telemetry.AttrState:        valuesOf("internal/stack", "State"),
		telemetry.AttrOriginCaught: valuesOf("internal/origin", "Caught"),
		telemetry.AttrOriginClass:  valuesOf("internal/mistake", "Class"),
		telemetry.AttrLeakClass:    valuesOf("internal/mistake", "Class"),
		telemetry.AttrLeakChange:   valuesOf("internal/finding", "ChangeKind"),
		telemetry.AttrSampleSource: sources,
		telemetry.AttrScrapeSource: sources,
	} {
		checkSameNames(t, "value of "+key, code, source{attributesFile, r.attribute(t, key).values()})
	}
}
