// Package semconv reads the registry of the telemetry of this project, in the folder model and the
// format of OpenTelemetry Weaver. Building and testing the project does not need Weaver: this
// package validates the structure, and its tests compare registry and code in both directions.
package semconv

//go:generate go run ./generate ../docs/metrics.md
