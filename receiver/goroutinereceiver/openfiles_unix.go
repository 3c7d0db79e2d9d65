//go:build unix

package goroutinereceiver

import (
	"math"
	"syscall"
)

// openFiles returns how many files the process may have open, connections included.
func openFiles() int64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxInt64 // where it cannot be told, nothing is held back
	}
	if limit.Cur > math.MaxInt64 {
		return math.MaxInt64 // unlimited
	}
	return int64(limit.Cur)
}
