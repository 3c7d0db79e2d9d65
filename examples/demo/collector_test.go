package main

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// The configuration must ask for the variables that the program sets, with the
// same defaults, so that it can also be run alone.
func TestConfigurationAsksForTheVariables(t *testing.T) {
	config, err := os.ReadFile("collector.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	for _, m := range regexp.MustCompile(`\$\{env:([A-Z_]+):-([^}]*)\}`).FindAllSubmatch(config, -1) {
		asked = append(asked, string(m[1])+"="+string(m[2]))
	}
	s, err := readSettings(environment())
	if err != nil {
		t.Fatal(err)
	}
	set := s.environment()
	slices.Sort(asked)
	slices.Sort(set)
	if !slices.Equal(asked, set) {
		t.Errorf("the configuration asks for %q, the program sets %q", asked, set)
	}
}
