//go:build unix

package state

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// The pages of a mapped file that was truncated cannot be read.
func TestGuardReturnsAnErrorOfAFault(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "mapped"))
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	size := os.Getpagesize()
	require.NoError(t, file.Truncate(int64(size)))
	mapped, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
	require.NoError(t, err)
	defer func() { require.NoError(t, syscall.Munmap(mapped)) }()
	require.NoError(t, file.Truncate(0))
	var read byte
	require.ErrorIs(t, guard(func() error {
		read = mapped[0]
		return nil
	}), errPanicked)
	require.Zero(t, read)
}
