// Package goroutinereceiver scrapes the pprof endpoints of Go services, which need no
// instrumentation, and emits a census of their goroutines.
package goroutinereceiver

//go:generate mdatagen metadata.yaml
