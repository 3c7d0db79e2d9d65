package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ownMounts is the environment variable that names the test to run in a process with its own mounts.
const ownMounts = "E2E_OWN_MOUNTS"

// withOwnMounts runs the test again in a process with its own mount namespace. It does not require
// root, but skips the test if the system forbids user namespaces.
func withOwnMounts(t *testing.T, inside func(t *testing.T)) {
	t.Helper()
	if os.Getenv(ownMounts) == t.Name() {
		inside(t)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), ownMounts+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, fs.ErrPermission) || bytes.Contains(out, []byte("--- SKIP")) {
		t.Skipf("nothing can be mounted here: %v\n%s", err, out)
	}
	require.NoError(t, err, string(out))
}

// smallDisk mounts a file system of the given size in bytes.
func smallDisk(t *testing.T, size int) string {
	t.Helper()
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(folder, 0)) })
	return folder
}

// TestFullDisk fills the disk after the first run of the processor, and frees it before the fourth.
func TestFullDisk(t *testing.T) {
	withOwnMounts(t, func(t *testing.T) {
		folder := smallDisk(t, 512<<10)
		first := startStored(t, folder)
		first.consume(t, savedGroups, 0, savedMinutes)
		first.shutdown(t)
		require.Empty(t, first.warnings())

		rest := filepath.Join(folder, "rest")
		require.ErrorIs(t, os.WriteFile(rest, make([]byte, 1<<20), 0o600), syscall.ENOSPC)
		for life := range 2 {
			full := startStored(t, folder)
			assert.True(t, full.restored(), "life %d", life)
			full.consume(t, 4*savedGroups, savedMinutes+life, savedMinutes+life+1)
			assert.True(t, full.flagged(), "life %d", life)
			full.shutdown(t)
			assert.Contains(t, full.warnings(), "save", "life %d", life)
		}

		require.NoError(t, os.Remove(rest))
		last := startStored(t, folder)
		assert.True(t, last.restored())
		last.consume(t, 4*savedGroups, savedMinutes+2, savedMinutes+3)
		assert.True(t, last.flagged())
		last.shutdown(t)
		assert.Empty(t, last.warnings())
	})
}

// TestReadOnlyDirectory checks that the processor warns that it cannot save its state, whether the
// existing file is damaged or not.
func TestReadOnlyDirectory(t *testing.T) {
	withOwnMounts(t, func(t *testing.T) {
		folder, whole := smallDisk(t, 1<<20), savedFile(t)
		database := filepath.Join(folder, stateFile)
		for name, file := range map[string][]byte{"whole": whole, "cut": whole[:len(whole)/8]} {
			require.NoError(t, os.WriteFile(database, file, 0o600))
			require.NoError(t, syscall.Mount("", folder, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
			m := startStored(t, folder)
			m.consume(t, savedGroups, 0, savedMinutes)
			assert.True(t, m.flagged())
			m.shutdown(t)
			assert.Contains(t, m.warnings(), "read-only file system", name)
			require.NoError(t, syscall.Mount("", folder, "", syscall.MS_REMOUNT, ""))
			unchanged, err := os.ReadFile(database)
			require.NoError(t, err)
			assert.Equal(t, file, unchanged, name)
		}
	})
}
