//go:build unix

package atomicstorage

import (
	"errors"
	"os"
)

// syncDirectory makes the names in a directory last, as those of renamed files.
func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}
