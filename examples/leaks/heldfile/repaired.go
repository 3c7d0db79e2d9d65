//go:build unix && !solaris && !aix

package heldfile

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// retryEvery is the time between attempts to lock.
const retryEvery = 10 * time.Millisecond

// StampRepaired is StampLeaky without the leak. It returns an error if ctx is done first.
//
// Fix: try to lock without waiting (LOCK_NB), and wait between attempts in a select with
// ctx.Done(). Closing the file, by defer, releases the lock.
func StampRepaired(ctx context.Context, path, line string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	if err := lock(ctx, file); err != nil {
		return err
	}
	_, err = file.WriteString(line + "\n")
	return err
}

func lock(ctx context.Context, file *os.File) error {
	ticker := time.NewTicker(retryEvery)
	defer ticker.Stop()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
