// Package goroutinereceiver scrapes the pprof endpoints of Go services that were
// never touched, and emits a census of their goroutines.
package goroutinereceiver

//go:generate mdatagen metadata.yaml
