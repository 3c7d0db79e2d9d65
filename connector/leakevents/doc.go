// Package leakevents is a collector connector that reads the metrics that flag goroutine leaks
// and writes a log record for each change of a leak.
//
// The connector is a thin shell: it passes points to a finding.Tracker, appendRecord turns a change
// into a record (record.go), and records wait in the saved state until the next consumer accepts
// them (connector.go).
package leakevents

//go:generate mdatagen metadata.yaml
