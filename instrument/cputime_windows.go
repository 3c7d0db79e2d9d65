package instrument

import (
	"syscall"
	"time"
)

// cpuTime returns the CPU time of this process, and whether it is known.
func cpuTime() (user, system time.Duration, known bool) {
	process, err := syscall.GetCurrentProcess() // a pseudo handle, which need not be closed
	if err != nil {
		return 0, 0, false
	}
	var created, exited, kernelTime, userTime syscall.Filetime
	if err := syscall.GetProcessTimes(process, &created, &exited, &kernelTime, &userTime); err != nil {
		return 0, 0, false
	}
	return elapsed(userTime), elapsed(kernelTime), true
}

// elapsed converts a duration in units of 100 ns. Filetime.Nanoseconds would add an epoch.
func elapsed(t syscall.Filetime) time.Duration {
	return time.Duration(int64(t.HighDateTime)<<32|int64(t.LowDateTime)) * 100
}
