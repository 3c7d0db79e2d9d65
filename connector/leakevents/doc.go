// Package leakevents is a collector connector that reads the metrics that flag goroutine leaks
// and writes a log record for each change of a leak.
//
// The connector is a thin shell: observe hands points to a finding.Book (points.go),
// appendRecord turns a change into a record (record.go), records wait in the state until the
// next consumer accepts them (connector.go), and keeper saves the state (keeper.go).
package leakevents

//go:generate mdatagen metadata.yaml
