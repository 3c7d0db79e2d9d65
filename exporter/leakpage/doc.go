// Package leakpage is a collector exporter that serves a page: the goroutine leaks that the
// metrics flag, where their goroutines come from, and how the services and targets are that
// do not leak.
//
// The exporter is a thin shell: it passes points and origins (origins.go) to a page.Memory, which
// an HTTP server serves and a storage extension saves (exporter.go). In pipelines of metrics and
// of logs it is one exporter.
package leakpage

//go:generate mdatagen metadata.yaml
