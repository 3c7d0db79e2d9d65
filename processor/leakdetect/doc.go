// Package leakdetect is a collector processor that detects leaks in goroutine and memory metrics.
// It passes all data on unchanged and adds metrics that flag the leaks.
//
// Points are converted to readings (readings.go), from which package detect derives verdicts under
// a single lock (tracker.go). Changes are logged (log.go), and the verdicts are added to the batch
// (names.go, write.go). The state is saved in a storage extension (persister.go).
package leakdetect

//go:generate mdatagen metadata.yaml
