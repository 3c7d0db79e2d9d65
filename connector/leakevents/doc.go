// Package leakevents is a collector connector that turns the metrics that flag goroutine
// leaks into log records, one for each change of a leak: it is detected, becomes more or less
// certain, ends, is closed by a version, comes back.
//
// The shell is thin: points are handed to a book of package finding (points.go), each change
// becomes a record (record.go), and records wait in an outbox until the next consumer has
// taken them (connector.go). What is remembered is kept in a storage extension (keeper.go).
package leakevents

//go:generate mdatagen metadata.yaml
