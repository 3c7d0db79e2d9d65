//go:build unix && !solaris && !aix

// Package heldfile shows files that are held by goroutines that wait in the kernel for a
// lock on them.
package heldfile

import (
	"os"
	"syscall"
)

// StampLeaky appends a line to a file that several processes write to.
//
// Mistake: it waits for the lock without a limit. If a process hangs while it holds the
// lock, each call leaks a goroutine, a file descriptor and a thread: neither a deadline
// nor a context can end the system call.
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
