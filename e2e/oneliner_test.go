package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	goBlock = regexp.MustCompile("(?s)```go\n(package main\n.*?)```")
	shBlock = regexp.MustCompile("(?s)## From a clone.*?```sh\n(.*?)```")
)

// TestOneLinersInReadmesCompile puts each program of a README into a new module, requires the modules of
// this project from a clone with the commands of the README, and builds it.
func TestOneLinersInReadmesCompile(t *testing.T) {
	t.Parallel()
	clone, err := filepath.Abs("..")
	require.NoError(t, err)
	found := shBlock.FindStringSubmatch(read(t, "instrument/README.md"))
	require.NotNil(t, found, "the README does not say how to use a clone")
	commands := strings.Split(strings.TrimSpace(found[1]), "\n")
	require.True(t, strings.HasPrefix(commands[0], "git clone "))

	for readme, programs := range map[string]int{"README.md": 1, "instrument/README.md": 3} {
		blocks := goBlock.FindAllStringSubmatch(read(t, readme), -1)
		require.Len(t, blocks, programs, "programs in %s", readme)
		for _, block := range blocks {
			t.Run(readme, func(t *testing.T) {
				service := filepath.Join(t.TempDir(), "service")
				require.NoError(t, os.Mkdir(service, 0o700))
				// This repository takes the place of the reader's clone.
				require.NoError(t, os.Symlink(clone, filepath.Join(service, "..", "otel-goroutine")))
				require.NoError(t, os.WriteFile(filepath.Join(service, "main.go"), []byte(block[1]), 0o600))
				shell(t, service, "go mod init example.com/service")
				for _, command := range commands[1:] {
					shell(t, service, command)
				}
				shell(t, service, "go build -o service . && go vet .")
			})
		}
	}
}

// shell runs a command in a folder, with a low priority since other tests wait for timers meanwhile.
func shell(t *testing.T, folder, command string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "nice", "bash", "-c", command)
	cmd.Dir = folder
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", command, out)
}
