// Package leakdetect is a collector processor that watches goroutine and memory
// metrics, flags what only ever grows by metrics of its own, and passes everything
// on as it came.
//
// A batch goes through four steps, in a file each: its watched metrics are picked
// (pick.go), their points are judged by what is remembered of their streams
// (judge.go, stream.go, resource.go, watch.go), what rose is logged (announce.go),
// and what was found is written beside the originals (write.go). How growth
// becomes a severity is the business of package growth.
package leakdetect

//go:generate mdatagen metadata.yaml
