//go:build unix

package goroutinereceiver

import (
	"math"
	"syscall"
)

// maxOpenFiles returns how many files the process may have open, including connections.
func maxOpenFiles() int64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxInt64 // unknown
	}
	if limit.Cur > math.MaxInt64 {
		return math.MaxInt64 // unlimited
	}
	return int64(limit.Cur)
}
