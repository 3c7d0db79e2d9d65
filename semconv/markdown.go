package semconv

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"text/template"
)

// section is a section of the page: the metrics that certain parts of the project emit.
type section struct {
	emittedBy    []string
	Title, Intro string
}

var sections = []section{
	{
		[]string{"receiver", "instrument"},
		"The census",
		"From both the [goroutine receiver](../receiver/goroutinereceiver) and\n[instrument](../instrument); `goroutine.origin.*` from the latter with `WithOrigins`.",
	},
	{
		[]string{"receiver"},
		"Scrapes",
		"From the [goroutine receiver](../receiver/goroutinereceiver).",
	},
	{
		[]string{"instrument"},
		"An instrumented process",
		"From [instrument](../instrument): `process.cpu.time` with `WithProcessCPUTime`. `WithRuntimeMetrics` adds\nthe metrics of contrib's `runtime` (`go.goroutine.count`, `go.memory.*` and others).",
	},
	{
		[]string{"processor"},
		"Leaks",
		"From the [leak_detect processor](../processor/leakdetect), on the resource of the leaking process or service.",
	},
}

const page = `<!-- Generated from semconv/model by make generate. -->
# Metrics

The telemetry of otel-goroutine, generated from its [registry](../semconv/model) in the format of
[OpenTelemetry Weaver](https://github.com/open-telemetry/weaver). The registry has version
{{ .Version }} and depends on version {{ version .Dependency }} of OpenTelemetry's semantic
conventions. Prometheus names are the default ones; [deploy](../deploy/README.md#names) describes
others. Internal telemetry of the components is on their own pages
([receiver](../receiver/goroutinereceiver/documentation.md#internal-telemetry),
[processor](../processor/leakdetect/documentation.md#internal-telemetry)).

In Prometheus, attributes become labels with underscores instead of dots. [One
setting](../deploy/README.md) turns resource attributes into labels.
{{ range sections }}
## {{ .Title }}

{{ .Intro }}

| metric | in Prometheus | instrument | unit | meaning |
|---|---|---|---|---|
{{- range metrics . }}
| {{ code .Name }} | {{ code (prometheus .) }} | {{ .Instrument }} | {{ code .Unit }} | {{ text .Brief .Note }}{{ if .Imported }} Defined by OpenTelemetry.{{ end }} |
{{- end }}
{{ range uses (metrics .) }}
{{ .Metrics }}:

| attribute | required |
|---|---|
{{- range .Attributes }}
| {{ code .Key }} | {{ required . }} |
{{- end }}
{{ end }}
{{- end }}
## Log records

Events of origins come from the [goroutine receiver](../receiver/goroutinereceiver), if it is in a logs pipeline,
and from [instrument/auto](../instrument#where-goroutines-come-from), if origins are enabled. Events of leaks come from the [leak_events connector](../connector/leakevents).

| event name | meaning |
|---|---|
{{- range .Events }}
| {{ code .Name }} | {{ text .Brief .Note }} |
{{- end }}
{{ range .Events }}
{{ code .Name }}:

| attribute | required |
|---|---|
{{- range .Attributes }}
| {{ code .Key }} | {{ required . }} |
{{- end }}
{{ end }}
## The resource of a target

From the receiver. An instrumented process has the resource of its service.
{{ range .Resource }}
- {{ code .Key }}
{{- end }}

## Attributes

| attribute | type | meaning |
|---|---|---|
{{- range attributes }}
| {{ code .Key }} | {{ .Type }} | {{ text .Brief .Note }}{{ with .Examples }} Such as {{ examples . }}.{{ end }} |
{{- end }}

Signatures have version {{ .SignatureVersion }}, {{ code "signature_version" }} in the registry.
{{ range valued }}
### {{ .Key }}
{{ with .Of }}
Of {{ . }}.
{{ end }}
| value | meaning |
|---|---|
{{- range .Members }}
| {{ code .Value }} | {{ .Brief }} |
{{- end }}
{{ end -}}
`

// WriteMarkdown writes the registry as a Markdown page.
func (r *Registry) WriteMarkdown(w io.Writer) error {
	functions := template.FuncMap{
		"sections":   func() any { return sections },
		"metrics":    r.metricsOf,
		"uses":       usesOf,
		"attributes": r.attributesShown,
		"valued":     r.valuedAttributes,
		"prometheus": func(m Metric) (string, error) { return m.InPrometheus(namings[0]) },
		"version":    path.Base,
		"required":   requiredText,
		"examples":   func(e []string) string { return listOf(e, "or") },
		"text":       func(brief, note string) string { return strings.TrimSpace(brief + " " + note) },
		"code":       code,
	}
	return template.Must(template.New("page").Funcs(functions).Parse(page)).Execute(w, r)
}

func code(s string) string { return "`" + s + "`" }

// listOf joins names for a sentence.
func listOf(names []string, word string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = code(name)
	}
	if n := len(quoted); n > 1 {
		return strings.Join(quoted[:n-1], ", ") + " " + word + " " + quoted[n-1]
	}
	return strings.Join(quoted, "")
}

func requiredText(a Attribute) string {
	if a.Level == conditionallyRequired {
		return a.Condition
	}
	return a.Level
}

// metricsOf returns the metrics of a section.
func (r *Registry) metricsOf(s section) []Metric {
	var of []Metric
	for _, m := range r.Metrics {
		if slices.Equal(m.EmittedBy, s.emittedBy) {
			of = append(of, m)
		}
	}
	return of
}

// use is a set of attributes and the metrics that have it.
type use struct {
	Metrics    string
	Attributes []Attribute
}

func usesOf(metrics []Metric) []use {
	var keys []string
	byKeys := map[string]*use{}
	names := map[string][]string{}
	for _, m := range metrics {
		var key strings.Builder
		for _, a := range m.Attributes {
			fmt.Fprintf(&key, "%s %s %s\n", a.Key, a.Level, a.Condition)
		}
		if key.Len() == 0 {
			continue
		}
		if byKeys[key.String()] == nil {
			keys = append(keys, key.String())
			byKeys[key.String()] = &use{Attributes: m.Attributes}
		}
		names[key.String()] = append(names[key.String()], m.Name)
	}
	var uses []use
	for _, key := range keys {
		byKeys[key].Metrics = listOf(names[key], "and")
		uses = append(uses, *byKeys[key])
	}
	return uses
}

// attributesShown returns all attributes of metrics and log records: first those defined here, then
// those defined by OpenTelemetry.
func (r *Registry) attributesShown() []Attribute {
	shown := slices.Clone(r.Attributes)
	for _, a := range r.used() {
		if a.DefinedByDependency && !slices.ContainsFunc(shown, func(s Attribute) bool { return s.Key == a.Key }) {
			a.Type = "[OpenTelemetry's](https://opentelemetry.io/docs/specs/semconv/registry/attributes/" + strings.SplitN(a.Key, ".", 2)[0] + "/)"
			shown = append(shown, a)
		}
	}
	return shown
}

// valued is an attribute whose values are all known; Of is the metric for which they are, empty for
// all metrics.
type valued struct {
	Attribute
	Of string
}

func (r *Registry) valuedAttributes() []valued {
	var all []valued
	for _, a := range r.Attributes {
		if len(a.Members) > 0 {
			all = append(all, valued{Attribute: a})
		}
	}
	for _, m := range r.Metrics {
		for _, a := range m.Attributes {
			if a.DefinedByDependency && len(a.Members) > 0 {
				all = append(all, valued{Attribute: a, Of: code(m.Name)})
			}
		}
	}
	return all
}
