package main

import "testing"

// TestFamilyNames checks that names are unique, since the random source of a family depends on its name, and that they
// fit into the table.
func TestFamilyNames(t *testing.T) {
	known := make(map[string]bool)
	for _, f := range families() {
		if known[f.name] {
			t.Errorf("two families are called %q", f.name)
		}
		known[f.name] = true
		if len(f.name) > nameWidth {
			t.Errorf("the name %q has %d characters; %d fit into the table (nameWidth in table.go)", f.name, len(f.name), nameWidth)
		}
	}
}
