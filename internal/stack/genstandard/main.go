// Command genstandard updates standard.txt in the current folder: the packages of the standard
// library of Go 1.22 to 1.27 for all platforms and experiments, so that stacks of programs
// built with other Go versions are classified correctly.
//
// It adds the packages of the toolchains given as arguments, or by default those of the Go
// command that runs it, which needs no network. When a Go version is released:
//
//	go run ./genstandard go1.27.3 go1.26.8 go1.25.5 go1.24.10 go1.23.12 go1.22.12
//
// This downloads missing toolchains.
package main

import (
	"fmt"
	"io/fs"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const list = "standard.txt"

func main() {
	toolchains := os.Args[1:]
	if len(toolchains) == 0 {
		toolchains = []string{"local"}
	}
	if err := add(toolchains); err != nil {
		log.Fatal(err)
	}
}

// add adds the packages of toolchains to the list.
func add(toolchains []string) error {
	recorded, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	packages := make(map[string]bool)
	for path := range strings.FieldsSeq(string(recorded)) {
		packages[path] = true
	}
	for _, toolchain := range toolchains {
		if err := collect(toolchain, packages); err != nil {
			return err
		}
	}
	all := slices.Sorted(maps.Keys(packages))
	return os.WriteFile(list, []byte(strings.Join(all, "\n")+"\n"), 0o644)
}

// collect adds the packages of a toolchain: the folders of GOROOT/src with Go files. "go list
// std" would omit those of other platforms.
func collect(toolchain string, packages map[string]bool) error {
	command := exec.Command("go", "env", "GOROOT")
	if toolchain != "local" {
		command.Dir = os.TempDir() // outside of this module, which requires a newer Go
		command.Env = append(os.Environ(), "GOTOOLCHAIN="+toolchain)
	}
	root, err := command.Output()
	if err != nil {
		return fmt.Errorf("GOROOT of %s: %w", toolchain, err)
	}
	source := os.DirFS(filepath.Join(strings.TrimSpace(string(root)), "src"))
	return fs.WalkDir(source, ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (path == "cmd" || entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), "_")):
			return fs.SkipDir
		case !entry.IsDir() && strings.Contains(path, "/") && strings.HasSuffix(path, ".go"):
			packages[path[:strings.LastIndexByte(path, '/')]] = true
		}
		return nil
	})
}
