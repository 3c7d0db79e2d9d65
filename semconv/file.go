package semconv

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The structure of a file, as far as this registry uses it. Unknown keys are an error, and so is a
// file in another format of Weaver.
type (
	file struct {
		Groups  []group `yaml:"groups"`
		Imports struct {
			Metrics []string `yaml:"metrics"`
		} `yaml:"imports"`
	}

	// group is a set of attributes, a metric, or an event.
	group struct {
		ID          string           `yaml:"id"`
		Type        string           `yaml:"type"`
		Brief       string           `yaml:"brief"`
		Note        string           `yaml:"note"`
		Stability   string           `yaml:"stability"`
		DisplayName string           `yaml:"display_name"`
		Extends     string           `yaml:"extends"`
		MetricName  string           `yaml:"metric_name"`
		Name        string           `yaml:"name"` // of an event
		Instrument  string           `yaml:"instrument"`
		Unit        string           `yaml:"unit"`
		Attributes  []attributeEntry `yaml:"attributes"`
		Annotations struct {
			EmittedBy []string `yaml:"emitted_by"`
		} `yaml:"annotations"`
	}

	// attributeEntry is the definition of an attribute, with an ID, or a reference to one that
	// is defined here or in OpenTelemetry's registry.
	attributeEntry struct {
		ID               string        `yaml:"id"`
		Ref              string        `yaml:"ref"`
		Type             attributeType `yaml:"type"`
		Brief            string        `yaml:"brief"`
		Note             string        `yaml:"note"`
		Stability        string        `yaml:"stability"`
		Examples         examples      `yaml:"examples"`
		RequirementLevel requirement   `yaml:"requirement_level"`
		Annotations      struct {
			SignatureVersion int      `yaml:"signature_version"`
			Members          []Member `yaml:"members"`
		} `yaml:"annotations"`
	}

	// Member is a value of an attribute.
	Member struct {
		ID        string `yaml:"id"`
		Value     string `yaml:"value"`
		Stability string `yaml:"stability"`
		Brief     string `yaml:"brief"`
	}

	// manifest describes the registry.
	manifest struct {
		SchemaURL    string `yaml:"schema_url"`
		Description  string `yaml:"description"`
		Stability    string `yaml:"stability"`
		Dependencies []struct {
			SchemaURL    string `yaml:"schema_url"`
			RegistryPath string `yaml:"registry_path"`
		} `yaml:"dependencies"`
	}
)

// attributeType is the name of a type, or a list of all values.
type attributeType struct {
	name    string
	members []Member
}

// UnmarshalYAML reads both forms:
//
//	type: string
//	type: {members: [{id: trace, value: trace, stability: alpha, brief: ...}]}
func (t *attributeType) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		return node.Decode(&t.name)
	}
	var enum struct {
		Members []Member `yaml:"members"`
	}
	raw, err := yaml.Marshal(node)
	if err != nil {
		return err
	}
	if err := decode(bytes.NewReader(raw), &enum); err != nil { // a node would not be decoded strictly
		return fmt.Errorf("line %d: %w", node.Line, err)
	}
	t.name, t.members = "enum", enum.Members
	return nil
}

// examples are example values. A list is joined to one string.
type examples []string

// UnmarshalYAML reads both forms:
//
//	examples: [one, two]
//	examples: [[one, two], [three]]
func (e *examples) UnmarshalYAML(node *yaml.Node) error {
	if len(node.Content) == 0 || node.Content[0].Kind != yaml.SequenceNode {
		return node.Decode((*[]string)(e))
	}
	var lists [][]string
	if err := node.Decode(&lists); err != nil {
		return err
	}
	for _, list := range lists {
		*e = append(*e, strings.Join(list, ", "))
	}
	return nil
}

// requirement is the requirement level of an attribute, with its condition if it has one.
type requirement struct{ level, condition string }

// UnmarshalYAML reads both forms:
//
//	requirement_level: required
//	requirement_level: {conditionally_required: If it is known.}
func (r *requirement) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		return node.Decode(&r.level)
	}
	var conditional map[string]string
	if err := node.Decode(&conditional); err != nil {
		return err
	}
	for r.level, r.condition = range conditional {
		if len(conditional) != 1 || r.level != conditionallyRequired || r.condition == "" {
			return fmt.Errorf("line %d: a requirement level must be a word, or %s with a condition", node.Line, conditionallyRequired)
		}
	}
	return nil
}

// decode decodes exactly one document without unknown keys.
func decode(from io.Reader, into any) error {
	decoder := yaml.NewDecoder(from)
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return errors.New("more than one document")
	}
	return nil
}
