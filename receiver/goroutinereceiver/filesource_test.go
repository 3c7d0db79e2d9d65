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

// polled is a poller with its log.
type polled struct {
	*poller
	logs *observer.ObservedLogs
}

func pollerOf(s source) polled {
	core, logs := observer.New(zap.InfoLevel)
	return polled{newPoller(s, time.Minute, nil, zap.New(core)), logs}
}

// ids polls once, and returns what is listed then.
func (p polled) ids(t *testing.T) (ids []string) {
	t.Helper()
	_, _ = p.poll(t.Context())
	for _, target := range p.targets() {
		ids = append(ids, target.ID)
	}
	return ids
}

// said returns how often the log says so.
func (p polled) said(message string) int { return p.logs.FilterMessage(message).Len() }

const (
	listLost   = "A list of targets cannot be had; the last good one is kept"
	listBack   = "A list of targets can be had again"
	listGone   = "A list of targets is gone"
	sourceLost = "Targets cannot be discovered; those of the last good lists are kept"
	sourceBack = "Targets can be discovered again"
)

// write writes a file that is left alone from then on, and was for a while.
func write(t *testing.T, name, text string) {
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
	p := pollerOf(fileSource{patterns: []string{filepath.Join(folder, "[a-b].*"), c, filepath.Join(folder, "none*.json")}})
	assert.Empty(t, p.ids(t))
	assert.Equal(t, 1, p.said(listLost), "c.json is named, and not there")
	assert.Equal(t, 1, p.failingLists())

	write(t, a, listOf("a:1", "a:2"))
	write(t, b, "- targets: [b:1]\n")
	write(t, c, listOf("c:1"))
	assert.Equal(t, []string{"a:1", "a:2", "b:1", "c:1"}, p.ids(t))
	assert.Equal(t, 1, p.said(listBack))
	_, changed := p.poll(t.Context())
	assert.False(t, changed, "nothing was written")

	// Files that are no lists any more.
	for _, text := range []string{"", listOf("a:1", "a:2")[:20], "<html>", `{"targets": ["x:1"]}`, listOf("a b")} {
		write(t, a, text)
		failures, changed := p.poll(t.Context())
		assert.Equal(t, 1, failures, text)
		assert.False(t, changed)
		assert.Equal(t, []string{"a:1", "a:2", "b:1", "c:1"}, p.ids(t), text)
	}
	assert.Equal(t, 2, p.said(listLost), "it is said once")
	lost := p.logs.FilterMessage(listLost).All()[1].ContextMap()
	assert.Equal(t, a, lost["list"])
	assert.EqualValues(t, 2, lost["targets"])
	write(t, a, listOf("a:3"))
	assert.Equal(t, []string{"a:3", "b:1", "c:1"}, p.ids(t))
	assert.Equal(t, 2, p.said(listBack))

	// What matches no pattern any more is gone. What is named is not.
	require.NoError(t, os.Remove(b))
	require.NoError(t, os.Remove(c))
	assert.Equal(t, []string{"a:3", "c:1"}, p.ids(t))
	assert.Equal(t, 1, p.said(listGone))
	assert.Equal(t, 1, p.failingLists())
}

// TestWhatIsNoFile has a directory, a pipe nobody writes to, and a file of 64 MiB.
func TestWhatIsNoFile(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "targets.json")
	p := pollerOf(fileSource{patterns: []string{name}})
	write(t, name, listOf("a:1"))
	require.Equal(t, []string{"a:1"}, p.ids(t))
	for what, prepare := range map[string]func() error{
		"a directory; name the files in it, such as targets.json/*.json": func() error { return os.Mkdir(name, 0o700) },
		"not a regular file":          func() error { return syscall.Mkfifo(name, 0o600) },
		"fewer than 67108864 bytes":   func() error { write(t, name, ""); return os.Truncate(name, 64<<20) },
		"no file matches " + name:     func() error { return nil },
		"more than 250000 targets":    func() error { write(t, name, listOf(strings.Repeat("a:1\", \"", 1_000_000)+"a:1")); return nil },
		"not JSON, or cut off":        func() error { write(t, name, listOf("a:1", "b:1")[:20]); return nil },
		"somebody is writing to":      func() error { return os.WriteFile(name, []byte(listOf("b:1")), 0o600) },
		"no target of the list can b": func() error { write(t, name, listOf("http://169.254.169.254/latest")); return nil },
	} {
		require.NoError(t, os.RemoveAll(name))
		require.NoError(t, prepare())
		if what == "somebody is writing to" {
			soon := time.Now().Add(-time.Millisecond)
			require.NoError(t, os.Chtimes(name, soon, soon))
			ctx, cancel := context.WithCancel(t.Context())
			_, err := readUnchanged(name)
			require.ErrorIs(t, err, errWriting)
			cancel()
			_, err = readSettled(ctx, name)
			require.ErrorIs(t, err, context.Canceled)
			continue
		}
		p.lists[name].failing = false // so that it is said again
		failures, changed := p.poll(t.Context())
		assert.Equal(t, 1, failures)
		assert.False(t, changed)
		assert.Len(t, p.targets(), 1)
		said := p.logs.FilterMessage(listLost).All()
		assert.Contains(t, said[len(said)-1].ContextMap()["error"], what)
	}
}

// TestFileThatIsWrittenInPlace is read once it is whole: half of a list in YAML is a list.
func TestFileThatIsWrittenInPlace(t *testing.T) {
	name := filepath.Join(t.TempDir(), "targets.yaml")
	synctest.Test(t, func(t *testing.T) {
		touch := func() { require.NoError(t, os.Chtimes(name, time.Now(), time.Now())) }
		require.NoError(t, os.WriteFile(name, []byte("- targets: [a:1]\n"), 0o600))
		touch()
		go func() {
			time.Sleep(settled / 2)
			assert.NoError(t, os.WriteFile(name, []byte("- targets: [a:1]\n- targets: [b:1]\n"), 0o600))
			assert.NoError(t, os.Chtimes(name, time.Now(), time.Now()))
		}()
		p := pollerOf(fileSource{patterns: []string{name}})
		began := time.Now()
		assert.Equal(t, []string{"a:1", "b:1"}, p.ids(t))
		assert.LessOrEqual(t, time.Since(began), settleTries*settled)
		assert.Zero(t, p.said(listLost))

		// One that is written to all the time is left as it was.
		stop := make(chan struct{})
		go func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(settled / 4):
					assert.NoError(t, os.Chtimes(name, time.Now(), time.Now()))
				}
			}
		}()
		time.Sleep(settled)
		require.NoError(t, os.WriteFile(name, []byte("- targets: [a:1]\n"), 0o600))
		touch()
		assert.Equal(t, []string{"a:1", "b:1"}, p.ids(t))
		close(stop)
		assert.Equal(t, 1, p.said(listLost))
		synctest.Wait()
	})
}
