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

// ownMounts is set, to the name of a test, in a process that may mount something.
const ownMounts = "E2E_OWN_MOUNTS"

// withOwnMounts runs a test again in a process of its own, which may mount what nobody
// else sees. Root is not needed, but a system may forbid it.
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

// smallDisk mounts a disk of so many bytes.
func smallDisk(t *testing.T, size int) string {
	t.Helper()
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(folder, 0)) })
	return folder
}

// TestADiskThatIsFull has no room left from the second life on, and some again in the
// fourth.
func TestADiskThatIsFull(t *testing.T) {
	withOwnMounts(t, func(t *testing.T) {
		folder := smallDisk(t, 512<<10)
		first := remember(t, folder)
		first.live(t, rememberedGroups, 0, rememberedMinutes)
		first.end(t)
		require.Empty(t, first.reported())

		rest := filepath.Join(folder, "rest")
		require.ErrorIs(t, os.WriteFile(rest, make([]byte, 1<<20), 0o600), syscall.ENOSPC)
		for life := range 2 {
			full := remember(t, folder)
			assert.True(t, full.goesOn(), "life %d", life)
			full.live(t, 4*rememberedGroups, rememberedMinutes+life, rememberedMinutes+life+1)
			assert.True(t, full.flagged(), "life %d", life)
			full.end(t)
			assert.Contains(t, full.reported(), "save", "life %d", life)
		}

		require.NoError(t, os.Remove(rest))
		last := remember(t, folder)
		assert.True(t, last.goesOn())
		last.live(t, 4*rememberedGroups, rememberedMinutes+2, rememberedMinutes+3)
		assert.True(t, last.flagged())
		last.end(t)
		assert.Empty(t, last.reported())
	})
}

// TestADirectoryThatCannotBeWritten reports that nothing can be kept, damaged or not.
func TestADirectoryThatCannotBeWritten(t *testing.T) {
	withOwnMounts(t, func(t *testing.T) {
		folder, whole := smallDisk(t, 1<<20), rememberedFile(t)
		database := filepath.Join(folder, stateFile)
		for name, file := range map[string][]byte{"whole": whole, "cut": whole[:len(whole)/8]} {
			require.NoError(t, os.WriteFile(database, file, 0o600))
			require.NoError(t, syscall.Mount("", folder, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
			m := remember(t, folder)
			m.live(t, rememberedGroups, 0, rememberedMinutes)
			assert.True(t, m.flagged())
			m.end(t)
			assert.Contains(t, m.reported(), "read-only file system", name)
			require.NoError(t, syscall.Mount("", folder, "", syscall.MS_REMOUNT, ""))
			kept, err := os.ReadFile(database)
			require.NoError(t, err)
			assert.Equal(t, file, kept, name)
		}
	})
}
