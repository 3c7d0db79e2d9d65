//go:build !unix

package goroutinereceiver

import "math"

// maxOpenFiles returns how many files the process may have open: there is no limit.
func maxOpenFiles() int64 { return math.MaxInt64 }
