package goroutinereceiver

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// loggedPoller is a poller with its log.
type loggedPoller struct {
	*poller
	logs *observer.ObservedLogs
}

func newLoggedPoller(s source) loggedPoller {
	core, logs := observer.New(zap.InfoLevel)
	return loggedPoller{newPoller(s, time.Minute, nil, zap.New(core)), logs}
}

// ids polls once and returns the IDs of the listed targets.
func (p loggedPoller) ids(t *testing.T) (ids []string) {
	t.Helper()
	_, _ = p.poll(t.Context())
	for _, target := range p.targets() {
		ids = append(ids, target.ID)
	}
	return ids
}

// logged returns how often a message was logged.
func (p loggedPoller) logged(message string) int { return p.logs.FilterMessage(message).Len() }

const (
	listFailed      = "Failed to read a target list, keeping the last good one"
	listRecovered   = "Target list works again"
	listRemoved     = "Target list removed"
	sourceFailed    = "Target discovery failed, keeping the last good lists"
	sourceRecovered = "Target discovery works again"
)

// writeOldFile writes a file that was last modified an hour ago.
func writeOldFile(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	ago := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(name, ago, ago))
}

func listOf(addresses ...string) string {
	return `[{"targets": ["` + strings.Join(addresses, `", "`) + `"]}]`
}

func TestFiles(t *testing.T) {
	folder := t.TempDir()
	a, b, c := filepath.Join(folder, "a.json"), filepath.Join(folder, "b.yml"), filepath.Join(folder, "c.json")
	p := newLoggedPoller(fileSource{patterns: []string{filepath.Join(folder, "[a-b].*"), c, filepath.Join(folder, "none*.json")}})
	assert.Empty(t, p.ids(t))
	assert.Equal(t, 1, p.logged(listFailed), "c.json is named, and not there")
	assert.Equal(t, 1, p.failingLists())

	writeOldFile(t, a, listOf("a:1", "a:2"))
	writeOldFile(t, b, "- targets: [b:1]\n")
	writeOldFile(t, c, listOf("c:1"))
	assert.Equal(t, []string{"a:1", "a:2", "b:1", "c:1"}, p.ids(t))
	assert.Equal(t, 1, p.logged(listRecovered))
	_, changed := p.poll(t.Context())
	assert.False(t, changed, "nothing was written")

	// Invalid lists.
	for _, text := range []string{"", listOf("a:1", "a:2")[:20], "<html>", `{"targets": ["x:1"]}`, listOf("a b")} {
		writeOldFile(t, a, text)
		failures, changed := p.poll(t.Context())
		assert.Equal(t, 1, failures, text)
		assert.False(t, changed)
		assert.Equal(t, []string{"a:1", "a:2", "b:1", "c:1"}, p.ids(t), text)
	}
	assert.Equal(t, 2, p.logged(listFailed), "logged once")
	lost := p.logs.FilterMessage(listFailed).All()[1].ContextMap()
	assert.Equal(t, a, lost["list"])
	assert.EqualValues(t, 2, lost["targets"])
	writeOldFile(t, a, listOf("a:3"))
	assert.Equal(t, []string{"a:3", "b:1", "c:1"}, p.ids(t))
	assert.Equal(t, 2, p.logged(listRecovered))

	// A removed file that matches a pattern is dropped. A file without a pattern is kept.
	require.NoError(t, os.Remove(b))
	require.NoError(t, os.Remove(c))
	assert.Equal(t, []string{"a:3", "c:1"}, p.ids(t))
	assert.Equal(t, 1, p.logged(listRemoved))
	assert.Equal(t, 1, p.failingLists())
}

// TestInvalidFiles polls a directory, a pipe without a writer, a file of 64 MiB, and others.
func TestInvalidFiles(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "targets.json")
	p := newLoggedPoller(fileSource{patterns: []string{name}})
	writeOldFile(t, name, listOf("a:1"))
	require.Equal(t, []string{"a:1"}, p.ids(t))
	for what, prepare := range map[string]func() error{
		"a directory; name the files in it, such as targets.json/*.json": func() error { return os.Mkdir(name, 0o700) },
		"not a regular file":          func() error { return syscall.Mkfifo(name, 0o600) },
		"fewer than 67108864 bytes":   func() error { writeOldFile(t, name, ""); return os.Truncate(name, 64<<20) },
		"no file matches " + name:     func() error { return nil },
		"more than 250000 targets":    func() error { writeOldFile(t, name, listOf(strings.Repeat("a:1\", \"", 1_000_000)+"a:1")); return nil },
		"not JSON, or cut off":        func() error { writeOldFile(t, name, listOf("a:1", "b:1")[:20]); return nil },
		"the file is being written":   func() error { return os.WriteFile(name, []byte(listOf("b:1")), 0o600) },
		"all targets of the list are": func() error { writeOldFile(t, name, listOf("http://169.254.169.254/latest")); return nil },
	} {
		require.NoError(t, os.RemoveAll(name))
		require.NoError(t, prepare())
		if what == "the file is being written" {
			recent := time.Now().Add(-time.Millisecond)
			require.NoError(t, os.Chtimes(name, recent, recent))
			ctx, cancel := context.WithCancel(t.Context())
			_, err := readUnchanged(name)
			require.ErrorIs(t, err, errWriting)
			cancel()
			_, err = readWhenSettled(ctx, name)
			require.ErrorIs(t, err, context.Canceled)
			continue
		}
		p.lists[name].failing = false // so that it is logged again
		failures, changed := p.poll(t.Context())
		assert.Equal(t, 1, failures)
		assert.False(t, changed)
		assert.Len(t, p.targets(), 1)
		entries := p.logs.FilterMessage(listFailed).All()
		assert.Contains(t, entries[len(entries)-1].ContextMap()["error"], what)
	}
}

// TestFileWrittenInPlace checks that a file is read only when complete: half of a YAML list is a
// valid list.
func TestFileWrittenInPlace(t *testing.T) {
	name := filepath.Join(t.TempDir(), "targets.yaml")
	synctest.Test(t, func(t *testing.T) {
		touch := func() { require.NoError(t, os.Chtimes(name, time.Now(), time.Now())) }
		require.NoError(t, os.WriteFile(name, []byte("- targets: [a:1]\n"), 0o600))
		touch()
		go func() {
			time.Sleep(settleTime / 2)
			assert.NoError(t, os.WriteFile(name, []byte("- targets: [a:1]\n- targets: [b:1]\n"), 0o600))
			assert.NoError(t, os.Chtimes(name, time.Now(), time.Now()))
		}()
		p := newLoggedPoller(fileSource{patterns: []string{name}})
		began := time.Now()
		assert.Equal(t, []string{"a:1", "b:1"}, p.ids(t))
		assert.LessOrEqual(t, time.Since(began), settleAttempts*settleTime)
		assert.Zero(t, p.logged(listFailed))

		// A file that is written all the time keeps its last good version.
		stop := make(chan struct{})
		go func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(settleTime / 4):
					assert.NoError(t, os.Chtimes(name, time.Now(), time.Now()))
				}
			}
		}()
		time.Sleep(settleTime)
		require.NoError(t, os.WriteFile(name, []byte("- targets: [a:1]\n"), 0o600))
		touch()
		assert.Equal(t, []string{"a:1", "b:1"}, p.ids(t))
		close(stop)
		assert.Equal(t, 1, p.logged(listFailed))
		synctest.Wait()
	})
}
