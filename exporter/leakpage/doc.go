// Package leakpage is a collector exporter that serves a page with the goroutine leaks that the
// metrics flag, the origins of their goroutines, and the state of all services and targets.
//
// The exporter is a thin shell: it passes points and origins (origins.go) to a page.Aggregator, whose
// Site an HTTP server serves, and whose state a storage extension saves (exporter.go). Pipelines of
// metrics and of logs share one exporter.
package leakpage

//go:generate mdatagen metadata.yaml
