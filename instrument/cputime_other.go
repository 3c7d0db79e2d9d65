//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package instrument

import "time"

// cpuTime returns the CPU time that this process has used, and whether it can be
// known. Here it cannot.
func cpuTime() (user, system time.Duration, known bool) { return 0, 0, false }
