package main

import (
	"runtime/debug"
	"strings"
)

// version returns the version of the command and of Go, or that the version is unknown.
func version(info *debug.BuildInfo, ok bool) string {
	if !ok {
		return "goroutine-leaks, unknown version"
	}
	module := strings.Trim(info.Main.Version, "()")
	if module == "" {
		module = "devel"
	}
	return "goroutine-leaks " + module + ", built with " + info.GoVersion
}
