package main

import (
	"errors"
	"io"
	"os"
)

// resultFile is a file that is created before a watch and written after it, so that an error in its
// name does not cost the watch. Its file is nil if the user wants none.
type resultFile struct{ file *os.File }

// createResultFile creates the file, unless the name is empty.
func createResultFile(name string) (resultFile, error) {
	if name == "" {
		return resultFile{}, nil
	}
	file, err := os.Create(name) //nolint:gosec // the file is named by the user
	return resultFile{file}, err
}

// write writes and closes the file.
func (r resultFile) write(content func(io.Writer) error) error {
	if r.file == nil {
		return nil
	}
	return errors.Join(content(r.file), r.file.Close())
}

// discard removes the file if there is nothing to write.
func (r resultFile) discard() error {
	if r.file == nil {
		return nil
	}
	return errors.Join(r.file.Close(), os.Remove(r.file.Name()))
}
