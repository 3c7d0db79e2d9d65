package origins

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// build is a way in which a service is built.
type build struct {
	name  string
	flags []string
	// module replaces the name of the service's module, if set.
	module string
	vendor bool
	// toolchain is the Go version that builds the service, if not that of the test.
	toolchain string
}

func builds() []build {
	plain := build{name: "plain"}
	if !*allBuilds {
		return []build{plain}
	}
	return []build{
		plain,
		{name: "trimpath", flags: []string{"-trimpath"}},
		{name: "stripped", flags: []string{"-ldflags=-s -w"}},
		{name: "vendored", vendor: true},
		{name: "dotless", module: "shop"},
		{name: "dotless-trimpath", module: "shop", flags: []string{"-trimpath"}},
		{name: "go1.27", toolchain: "go1.27.3"},
	}
}

// program is a service and its module.
type program struct {
	// folder is the module root, command the main package in it.
	folder, command string
	// module is the module's name.
	module string
}

const project = "github.com/otel-goroutine/otel-goroutine"

// compile builds a program and returns the path of the executable.
func (b build) compile(t *testing.T, p program) string {
	t.Helper()
	if b.vendor || b.module != "" {
		p = b.copy(t, p)
	}
	executable := filepath.Join(t.TempDir(), "service")
	b.run(t, p.folder, append(append([]string{"build", "-o", executable}, b.flags...), p.command)...)
	return executable
}

// copy copies a program to a folder in which its module can be changed.
func (b build) copy(t *testing.T, p program) program {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	to := t.TempDir()
	require.NoError(t, os.CopyFS(to, os.DirFS(p.folder)))
	if file := filepath.Join(to, "go.mod"); !exists(file) { // the program is a package of the module e2e
		require.NoError(t, os.WriteFile(file, []byte("module "+p.module+"\n\ngo 1.26.0\n"), 0o600))
	}
	require.NoError(t, filepath.WalkDir(to, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return b.rewrite(path, p.module, root)
	}))
	if b.vendor {
		b.run(t, to, "mod", "vendor")
	}
	return program{folder: to, command: p.command}
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// rewrite renames the module in a file, and adapts the replacements in go.mod to the new folder.
func (b build) rewrite(path, module, root string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text := string(data)
	if b.module != "" {
		text = strings.ReplaceAll(text, `"`+module, `"`+b.module)
		text = strings.ReplaceAll(text, "module "+module, "module "+b.module)
	}
	if filepath.Base(path) == "go.mod" {
		text = strings.ReplaceAll(text, "=> ../..", "=> "+root)
	}
	return os.WriteFile(path, []byte(text), 0o600)
}

// run runs the go command.
func (b build) run(t *testing.T, folder string, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", args...)
	command.Dir = folder
	if command.Env = os.Environ(); b.toolchain != "" {
		command.Env = append(command.Env, "GOTOOLCHAIN="+b.toolchain)
	}
	out, err := command.CombinedOutput()
	require.NoError(t, err, string(out))
}
