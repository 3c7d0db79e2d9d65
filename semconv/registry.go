package semconv

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// Registry is the content of the model.
type Registry struct {
	SchemaURL string // its last part is the version
	// Dependency is the schema URL of the OpenTelemetry conventions that it depends on.
	Dependency string
	// SignatureVersion is the version of signatures (telemetry.SignatureVersion).
	SignatureVersion int
	Metrics          []Metric    // in the order of the model, imported ones first
	Events           []Event     // log records, in the order of the model
	Attributes       []Attribute // defined in the model, in its order
	Resource         []Attribute // of the resource of a target
}

// Metric is a metric with all its attributes.
type Metric struct {
	Name, Instrument, Unit string
	Brief, Note            string
	Stability              string
	EmittedBy              []string // parts of this project
	Imported               bool     // from OpenTelemetry's conventions
	Attributes             []Attribute
}

// Event is a kind of log record with all its attributes.
type Event struct {
	Name, Brief, Note string
	Stability         string
	EmittedBy         []string // parts of this project
	Attributes        []Attribute
}

// Attribute is an attribute by itself, or of a metric.
type Attribute struct {
	Key, Type           string // Type is empty if it is defined elsewhere
	Brief, Note         string
	Stability           string
	Level, Condition    string // requirement level and its condition
	Examples            []string
	Members             []Member // all values, if they are known
	DefinedByDependency bool
}

// Version returns the version of the registry.
func (r *Registry) Version() string { return path.Base(r.SchemaURL) }

const conditionallyRequired = "conditionally_required"

// used returns the attributes of all metrics and events, with duplicates.
func (r *Registry) used() []Attribute {
	var all []Attribute
	for _, m := range r.Metrics {
		all = append(all, m.Attributes...)
	}
	for _, e := range r.Events {
		all = append(all, e.Attributes...)
	}
	return all
}

// Values that a registry may use.
var (
	stabilities  = []string{"stable", "development", "alpha", "beta", "release_candidate"}
	instruments  = []string{"counter", "gauge", "histogram", "updowncounter"}
	levels       = []string{"required", "recommended", "opt_in", conditionallyRequired}
	simpleTypes  = []string{"string", "string[]", "int", "double", "boolean"}
	projectParts = []string{"receiver", "instrument", "processor", "connector"}
)

// targetGroup is the ID of the group of a target's resource attributes.
const targetGroup = "attributes.goroutine.target"

//go:embed model/*.yaml
var model embed.FS

// Load reads and validates the registry of this project.
func Load() (*Registry, error) {
	folder, err := fs.Sub(model, "model")
	if err != nil {
		return nil, err
	}
	return load(folder)
}

func load(folder fs.FS) (*Registry, error) {
	files, err := fs.Glob(folder, "*.yaml")
	if err != nil {
		return nil, err
	}
	l := loader{groups: map[string]group{}, definitions: map[string]Attribute{}}
	for _, name := range files {
		if err := l.read(folder, name); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return l.resolve()
}

// loader merges several files.
type loader struct {
	manifest    manifest
	imports     []string
	order       []string // of groups
	groups      map[string]group
	definitions map[string]Attribute
	registry    Registry
	errs        []error
}

func (l *loader) fail(format string, values ...any) {
	l.errs = append(l.errs, fmt.Errorf(format, values...))
}

func (l *loader) read(folder fs.FS, name string) (err error) {
	opened, err := folder.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	if name == "manifest.yaml" {
		return decode(opened, &l.manifest)
	}
	var f file
	if err := decode(opened, &f); err != nil {
		return err
	}
	l.imports = append(l.imports, f.Imports.Metrics...)
	for _, g := range f.Groups {
		if _, ok := l.groups[g.ID]; ok {
			l.fail("group %s is there twice", g.ID)
		}
		l.order = append(l.order, g.ID)
		l.groups[g.ID] = g
	}
	return nil
}

// resolve validates all groups, and resolves the attributes of metrics and events.
func (l *loader) resolve() (*Registry, error) {
	l.resolveManifest()
	for _, id := range l.order {
		for _, a := range l.groups[id].Attributes {
			if a.ID != "" {
				l.define(a)
			}
		}
	}
	for _, name := range l.imports {
		m, ok := importable()[name]
		if !ok {
			l.fail("%s is not known to be importable", name)
		}
		l.registry.Metrics = append(l.registry.Metrics, m)
	}
	for _, id := range l.order {
		l.resolveGroup(l.groups[id])
	}
	l.unusedDefinitions()
	return &l.registry, errors.Join(l.errs...)
}

func (l *loader) resolveManifest() {
	m := l.manifest
	if version := path.Base(m.SchemaURL); strings.Count(version, ".") != 2 || !strings.HasPrefix(m.SchemaURL, "https://") {
		l.fail("manifest: schema_url %q does not end with a version", m.SchemaURL)
	}
	if m.Description == "" || !slices.Contains(stabilities, m.Stability) {
		l.fail("manifest: no description, or no stability")
	}
	if len(m.Dependencies) != 1 {
		l.fail("manifest: %d dependencies, and not OpenTelemetry's conventions alone", len(m.Dependencies))
		return
	}
	dependency := m.Dependencies[0]
	if !strings.Contains(dependency.RegistryPath, "v"+path.Base(dependency.SchemaURL)) {
		l.fail("manifest: %s is not at %s", dependency.SchemaURL, dependency.RegistryPath)
	}
	l.registry.SchemaURL, l.registry.Dependency = m.SchemaURL, dependency.SchemaURL
}

// define adds the definition of an attribute.
func (l *loader) define(a attributeEntry) {
	switch {
	case a.Ref != "" || a.RequirementLevel.level != "" || len(a.Annotations.Members) > 0:
		l.fail("attribute %s: a definition has neither ref nor requirement_level nor values in its annotations", a.ID)
	case a.Brief == "" || !slices.Contains(stabilities, a.Stability):
		l.fail("attribute %s: no brief, or no stability", a.ID)
	case a.Type.name != "enum" && !slices.Contains(simpleTypes, a.Type.name):
		l.fail("attribute %s: type %q", a.ID, a.Type.name)
	case strings.HasPrefix(a.Type.name, "string") && len(a.Examples) == 0:
		l.fail("attribute %s: no examples", a.ID)
	case a.Type.name == "enum":
		l.checkMembers(a.ID, a.Type.members)
	}
	if _, ok := l.definitions[a.ID]; ok {
		l.fail("attribute %s is defined twice", a.ID)
	}
	if a.Annotations.SignatureVersion != 0 {
		l.registry.SignatureVersion = a.Annotations.SignatureVersion
	}
	definition := Attribute{
		Key: a.ID, Type: a.Type.name, Brief: a.Brief, Note: a.Note,
		Stability: a.Stability, Examples: a.Examples, Members: a.Type.members,
	}
	l.definitions[a.ID] = definition
	l.registry.Attributes = append(l.registry.Attributes, definition)
}

func (l *loader) checkMembers(key string, members []Member) {
	values := map[string]bool{}
	for _, m := range members {
		if m.ID != m.Value || m.Brief == "" || !slices.Contains(stabilities, m.Stability) || values[m.Value] {
			l.fail("attribute %s: value %q has another ID, no brief, no stability, or is there twice", key, m.Value)
		}
		values[m.Value] = true
	}
	if len(members) == 0 {
		l.fail("attribute %s: no values", key)
	}
}

func (l *loader) resolveGroup(g group) {
	attributes := l.attributesOf(g)
	switch {
	case g.ID == "" || g.Brief == "":
		l.fail("group %q: no ID, or no brief", g.ID)
	case g.Type == "attribute_group":
		if g.MetricName+g.Instrument+g.Unit+g.Name != "" || len(g.Annotations.EmittedBy) > 0 || len(g.Attributes) == 0 {
			l.fail("group %s: not what an attribute_group has", g.ID)
		}
		if g.ID == targetGroup {
			l.registry.Resource = attributes
		}
	case g.Type == "metric":
		l.checkMetric(g)
		l.registry.Metrics = append(l.registry.Metrics, Metric{
			Name: g.MetricName, Instrument: g.Instrument, Unit: g.Unit,
			Brief: g.Brief, Note: g.Note, Stability: g.Stability,
			EmittedBy: g.Annotations.EmittedBy, Attributes: attributes,
		})
	case g.Type == "event":
		l.checkEvent(g)
		l.registry.Events = append(l.registry.Events, Event{
			Name: g.Name, Brief: g.Brief, Note: g.Note, Stability: g.Stability,
			EmittedBy: g.Annotations.EmittedBy, Attributes: attributes,
		})
	default:
		l.fail("group %s: type %q", g.ID, g.Type)
	}
}

func (l *loader) checkEvent(g group) {
	switch {
	case g.Name == "" || g.ID != "event."+g.Name:
		l.fail("group %s: not the ID of event %q", g.ID, g.Name)
	case g.MetricName+g.Instrument+g.Unit != "":
		l.fail("%s: not what an event has", g.ID)
	}
	l.checkEmitted(g)
}

// checkEmitted validates the common part of metrics and events.
func (l *loader) checkEmitted(g group) {
	unknownPart := func(part string) bool { return !slices.Contains(projectParts, part) }
	switch {
	case !slices.Contains(stabilities, g.Stability):
		l.fail("%s: stability %q", g.ID, g.Stability)
	case len(g.Annotations.EmittedBy) == 0 || slices.ContainsFunc(g.Annotations.EmittedBy, unknownPart):
		l.fail("%s: emitted by %q", g.ID, g.Annotations.EmittedBy)
	}
}

func (l *loader) checkMetric(g group) {
	switch {
	case g.MetricName == "" || g.Name != "" || g.ID != "metric."+g.MetricName:
		l.fail("group %s: not the ID of metric %q", g.ID, g.MetricName)
	case !slices.Contains(instruments, g.Instrument):
		l.fail("%s: instrument %q", g.ID, g.Instrument)
	case g.Unit == "" || g.Unit == "1":
		l.fail("%s: unit %q", g.ID, g.Unit)
	}
	l.checkEmitted(g)
}

// attributesOf returns the attributes of a group, inherited ones first.
func (l *loader) attributesOf(g group) []Attribute {
	var all []Attribute
	if g.Extends != "" {
		parent, ok := l.groups[g.Extends]
		if !ok || parent.Type != "attribute_group" || parent.Extends != "" {
			l.fail("group %s: extends %s, which is no group of attributes", g.ID, g.Extends)
		}
		all = l.attributesOf(parent)
	}
	for _, a := range g.Attributes {
		if a.ID == "" {
			all = append(all, l.use(g, a))
		}
	}
	return all
}

// use returns an attribute as a group uses it.
func (l *loader) use(g group, a attributeEntry) Attribute {
	used, own := l.definitions[a.Ref]
	switch {
	case a.Ref == "" || a.Type.name != "" || a.Stability != "" || a.Annotations.SignatureVersion != 0:
		l.fail("group %s: an attribute without ID has a ref, and no type, stability or version", g.ID)
	case !slices.Contains(levels, a.RequirementLevel.level):
		l.fail("group %s: requirement level %q of %s", g.ID, a.RequirementLevel.level, a.Ref)
	case (a.RequirementLevel.condition == "") == (a.RequirementLevel.level == conditionallyRequired):
		l.fail("group %s: %s has no condition", g.ID, a.Ref)
	case !own && !slices.Contains(dependencyKeys(), a.Ref):
		l.fail("group %s: %s is defined nowhere", g.ID, a.Ref)
	case own && len(a.Annotations.Members) > 0:
		l.fail("group %s: the values of %s stand where it is defined", g.ID, a.Ref)
	}
	used.Key, used.DefinedByDependency = a.Ref, !own
	used.Level, used.Condition = a.RequirementLevel.level, a.RequirementLevel.condition
	if a.Brief != "" {
		used.Brief = a.Brief
	}
	if len(a.Annotations.Members) > 0 {
		l.checkMembers(a.Ref, a.Annotations.Members)
		used.Members = a.Annotations.Members
	}
	return used
}

// unusedDefinitions reports attributes that no metric and no event has.
func (l *loader) unusedDefinitions() {
	unused := maps.Clone(l.definitions)
	for _, a := range l.registry.used() {
		delete(unused, a.Key)
	}
	for _, key := range slices.Sorted(maps.Keys(unused)) {
		l.fail("attribute %s: nothing has it", key)
	}
}
