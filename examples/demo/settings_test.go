package main

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func environment(pairs ...string) func(string) string {
	return func(variable string) string {
		for _, p := range pairs {
			if name, value, _ := strings.Cut(p, "="); name == variable {
				return value
			}
		}
		return ""
	}
}

func TestSettingsWithoutEnvironment(t *testing.T) {
	s, err := readSettings(environment())
	if err != nil {
		t.Fatal(err)
	}
	if s.watch != 120*time.Second || s.settle != 20*time.Second || s.capture != "auto" {
		t.Errorf("got %v, %v, %q", s.watch, s.settle, s.capture)
	}
	want := []string{
		"DEMO_CAPTURE=auto", "DEMO_PPROF_PORT=6060", "DEMO_METRICS_PORT=8889",
		"DEMO_ZPAGES_PORT=55679", "DEMO_HEALTH_PORT=13133",
	}
	if got := s.environment(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestEverySettingCanBeChosen(t *testing.T) {
	chosen := []string{
		"DEMO_CAPTURE=profile", "DEMO_PPROF_PORT=1001", "DEMO_METRICS_PORT=1002",
		"DEMO_ZPAGES_PORT=1003", "DEMO_HEALTH_PORT=1004",
	}
	s, err := readSettings(environment(append(chosen, "DEMO_SECONDS=7")...))
	if err != nil {
		t.Fatal(err)
	}
	if s.watch != 7*time.Second || s.settle != 0 {
		t.Errorf("watches for %v, ends when nothing changes for %v", s.watch, s.settle)
	}
	if got := s.environment(); !slices.Equal(got, chosen) {
		t.Errorf("got %q", got)
	}
	if got := s.address(zpagesVariable); got != "127.0.0.1:1003" {
		t.Errorf("got %q", got)
	}
}

func TestWrongSettings(t *testing.T) {
	for _, tc := range []struct {
		pair string
		told []string
	}{
		{"DEMO_SECONDS=soon", []string{"DEMO_SECONDS", `"soon"`, "1 to 3600"}},
		{"DEMO_SECONDS=0", []string{"DEMO_SECONDS", `"0"`}},
		{"DEMO_SECONDS=1.5", []string{"DEMO_SECONDS", `"1.5"`}},
		{"DEMO_CAPTURE=Trace", []string{"DEMO_CAPTURE", `"Trace"`, "auto, trace, profile"}},
		{"DEMO_PPROF_PORT=-1", []string{"DEMO_PPROF_PORT", `"-1"`, "1 to 65535"}},
		{"DEMO_METRICS_PORT=65536", []string{"DEMO_METRICS_PORT", `"65536"`}},
		{"DEMO_ZPAGES_PORT=http", []string{"DEMO_ZPAGES_PORT", `"http"`}},
		{"DEMO_HEALTH_PORT= 1", []string{"DEMO_HEALTH_PORT", `" 1"`}},
		{"DEMO_HEALTH_PORT=6060", []string{"DEMO_HEALTH_PORT", "DEMO_PPROF_PORT", "6060"}},
	} {
		_, err := readSettings(environment(tc.pair))
		if err == nil {
			t.Errorf("%s: accepted", tc.pair)
			continue
		}
		for _, told := range tc.told {
			if !strings.Contains(err.Error(), told) {
				t.Errorf("%s: %q is not in %q", tc.pair, told, err)
			}
		}
	}
}
