package page

import (
	"encoding/json"
	"reflect"
	"strings"
)

// schema returns the JSON schema of all responses of the API, derived from their types.
func schema() ([]byte, error) {
	definitions := make(map[string]any)
	for _, t := range [...]reflect.Type{reflect.TypeFor[Document](), reflect.TypeFor[Documents](), reflect.TypeFor[ServiceDocuments]()} {
		define(t, definitions)
	}
	ref := func(t reflect.Type) map[string]any { return map[string]any{"$ref": "#/$defs/" + t.Name()} }
	return json.MarshalIndent(map[string]any{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"title":       "Goroutine leaks",
		"description": "GET /api/findings returns Documents (parameters q, severity, status, page), GET /api/findings/{id} returns a Document (with parameter version, also whether that version closed the finding), GET /api/services returns ServiceDocuments. Times are in RFC 3339. Names come from the watched processes and may be truncated.",
		"anyOf":       []any{ref(reflect.TypeFor[Document]()), ref(reflect.TypeFor[Documents]()), ref(reflect.TypeFor[ServiceDocuments]())},
		"$defs":       definitions,
	}, "", " ")
}

// define adds the definitions of a struct and of the structs in it.
func define(t reflect.Type, to map[string]any) {
	if to[t.Name()] != nil {
		return
	}
	properties := make(map[string]any)
	to[t.Name()] = properties // ends the recursion for a struct that contains itself
	required := []string{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		property := typeOf(f.Type, to)
		property["description"] = f.Tag.Get("doc")
		properties[name] = property
		if options != "omitempty" {
			required = append(required, name)
		}
	}
	to[t.Name()] = map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

func typeOf(t reflect.Type, to map[string]any) map[string]any {
	switch t.Kind() {
	case reflect.Pointer:
		return typeOf(t.Elem(), to)
	case reflect.Struct:
		define(t, to)
		return map[string]any{"$ref": "#/$defs/" + t.Name()}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": typeOf(t.Elem(), to)}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	}
	return map[string]any{"type": "string"}
}
