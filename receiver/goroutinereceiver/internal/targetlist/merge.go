package targetlist

import "maps"

// Merge merges lists and returns the targets of a shard by their IDs. Earlier lists take
// precedence; attributes that only later ones have are added.
func Merge(shard Shard, lists ...[]Target) map[string]Target {
	merged := make(map[string]Target)
	for _, list := range lists {
		for _, t := range list {
			first, known := merged[t.ID]
			switch {
			case known:
				merged[t.ID] = first.with(t)
			case shard.Owns(t.ID):
				merged[t.ID] = t
			}
		}
	}
	return merged
}

// with returns t completed by other.
func (t Target) with(other Target) Target {
	fill := func(text *string, with string) {
		if *text == "" {
			*text = with
		}
	}
	fill(&t.ServiceName, other.ServiceName)
	fill(&t.Workload, other.Workload)
	fill(&t.Capture, other.Capture)
	var grown map[string]string // t.Attributes belongs to others too
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

// Equal reports whether both targets are the same in all respects.
func (t Target) Equal(other Target) bool {
	return t.ID == other.ID && t.Endpoint == other.Endpoint && t.ServiceName == other.ServiceName &&
		t.Workload == other.Workload && t.Capture == other.Capture && maps.Equal(t.Attributes, other.Attributes)
}

// SameProcess reports whether two targets with the same ID may be the same process. They are not
// if they are different pods.
func (t Target) SameProcess(other Target) bool {
	a, b := t.Attributes[attributePodUID], other.Attributes[attributePodUID]
	return a == "" || b == "" || a == b
}
