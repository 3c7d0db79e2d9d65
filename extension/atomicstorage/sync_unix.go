//go:build unix

package atomicstorage

import (
	"errors"
	"os"
	"path/filepath"
)

// syncDirectory makes the names in a directory last, as those of renamed files.
func syncDirectory(path string) error {
	directory, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}
