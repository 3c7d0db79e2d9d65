package main

import (
	"runtime/debug"
	"testing"
)

func TestVersion(t *testing.T) {
	for module, want := range map[string]string{
		"v0.2.0": "goroutine-leaks v0.2.0, built with go1.26.7", "(devel)": "goroutine-leaks devel, built with go1.26.7", "": "goroutine-leaks devel, built with go1.26.7",
	} {
		if got := version(&debug.BuildInfo{GoVersion: "go1.26.7", Main: debug.Module{Version: module}}, true); got != want {
			t.Errorf("%q: got %q, want %q", module, got, want)
		}
	}
	if got := version(nil, false); got != "goroutine-leaks, unknown version" {
		t.Errorf("got %q", got)
	}
}
