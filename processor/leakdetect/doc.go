// Package leakdetect is a collector processor that watches goroutine and memory
// metrics, flags what only ever grows by metrics of its own, and passes everything
// on as it came.
//
// The shell is thin: points become readings (readings.go), package detect makes verdicts
// of these under one lock (watch.go), what rose or ended is logged (announce.go), and the verdicts
// are written beside the originals (names.go, write.go). The state is saved in a storage extension
// (persister.go).
package leakdetect

//go:generate mdatagen metadata.yaml
