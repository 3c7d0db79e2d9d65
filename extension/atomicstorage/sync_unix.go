//go:build unix

package atomicstorage

import (
	"errors"
	"os"
	"path/filepath"
)

// syncDirectory makes renames in a directory durable.
func syncDirectory(path string) error {
	directory, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}
