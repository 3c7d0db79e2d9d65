//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package instrument

import "time"

// cpuTime returns the CPU time of this process, and whether it is known. On this platform it is not.
func cpuTime() (user, system time.Duration, known bool) { return 0, 0, false }
