// Package semconv reads the registry of what this project emits: model, in the format of
// OpenTelemetry Weaver. Weaver is not needed to build or to test the project. What it would
// check of the structure, this package checks, and its tests hold the registry to the code,
// both ways.
package semconv

//go:generate go run ./generate ../docs/metrics.md
