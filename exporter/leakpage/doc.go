// Package leakpage is a collector exporter that serves a page: the goroutine leaks that the
// metrics flag, where their goroutines come from, and how the services and targets are that
// do not leak.
//
// The shell is thin: points (points.go) and origins (origins.go) are handed to a memory of
// package page, whose handler an HTTP server serves (exporter.go). What is remembered is kept
// in a storage extension (keeper.go). In pipelines of metrics and of logs it is one exporter.
package leakpage

//go:generate mdatagen metadata.yaml
