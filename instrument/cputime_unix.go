//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package instrument

import (
	"syscall"
	"time"
)

// cpuTime returns the CPU time of this process, and whether it is known.
func cpuTime() (user, system time.Duration, known bool) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, 0, false
	}
	return time.Duration(u.Utime.Nano()), time.Duration(u.Stime.Nano()), true
}
