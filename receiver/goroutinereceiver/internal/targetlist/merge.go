package targetlist

import "maps"

// Merge merges lists and returns the targets of a shard by ID. Earlier lists take precedence;
// attributes are merged.
func Merge(shard Shard, lists ...[]Target) map[string]Target {
	merged := make(map[string]Target)
	for _, list := range lists {
		for _, t := range list {
			first, known := merged[t.ID]
			switch {
			case known:
				merged[t.ID] = first.mergedWith(t)
			case shard.Owns(t.ID):
				merged[t.ID] = t
			}
		}
	}
	return merged
}

// mergedWith returns t with missing values added from other.
func (t Target) mergedWith(other Target) Target {
	fill := func(value *string, fallback string) {
		if *value == "" {
			*value = fallback
		}
	}
	fill(&t.ServiceName, other.ServiceName)
	fill(&t.Workload, other.Workload)
	fill(&t.Capture, other.Capture)
	var grown map[string]string // a copy, since other targets share t.Attributes
	for key, value := range other.Attributes {
		if _, known := t.Attributes[key]; known {
			continue
		}
		if grown == nil {
			grown = maps.Clone(t.Attributes)
		}
		if grown == nil {
			grown = make(map[string]string)
		}
		grown[key] = value
	}
	if grown != nil {
		t.Attributes = grown
	}
	return t
}

// Equal reports whether all fields are equal.
func (t Target) Equal(other Target) bool {
	return t.ID == other.ID && t.Endpoint == other.Endpoint && t.ServiceName == other.ServiceName &&
		t.Workload == other.Workload && t.Capture == other.Capture && maps.Equal(t.Attributes, other.Attributes)
}

// SameProcess reports whether two targets with the same ID may be the same process. Different pods
// are not.
func (t Target) SameProcess(other Target) bool {
	a, b := t.Attributes[attributePodUID], other.Attributes[attributePodUID]
	return a == "" || b == "" || a == b
}
