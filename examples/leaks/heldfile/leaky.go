//go:build unix && !solaris && !aix

// Package heldfile shows files in the hands of goroutines that wait for a lock on
// them, in the kernel.
package heldfile

import (
	"os"
	"syscall"
)

// StampLeaky appends a line to a file that several processes write to, in turn.
//
// Mistake: the lock is asked for without an end. If a process hangs with
// the lock in hand, each call costs a goroutine, a file descriptor and a thread:
// the wait is a system call of its own, which neither a deadline nor a context
// can end.
func StampLeaky(path, line string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil { // leaks here
		return err
	}
	_, err = file.WriteString(line + "\n")
	return err
}
