package instrument

import (
	"syscall"
	"time"
)

// cpuTime returns the CPU time that this process has used, and whether it can be
// known.
func cpuTime() (user, system time.Duration, known bool) {
	process, err := syscall.GetCurrentProcess() // no handle that has to be closed
	if err != nil {
		return 0, 0, false
	}
	var created, exited, kernelTime, userTime syscall.Filetime
	if err := syscall.GetProcessTimes(process, &created, &exited, &kernelTime, &userTime); err != nil {
		return 0, 0, false
	}
	return elapsed(userTime), elapsed(kernelTime), true
}

// elapsed returns a time that counts from nothing, in units of 100 ns. What
// Filetime.Nanoseconds returns counts from an epoch.
func elapsed(t syscall.Filetime) time.Duration {
	return time.Duration(int64(t.HighDateTime)<<32|int64(t.LowDateTime)) * 100
}
