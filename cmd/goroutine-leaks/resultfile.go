package main

import (
	"errors"
	"io"
	"os"
)

// resultFile is a file that is written after a watch. It is opened before it too, so that an error in
// its name does not cost the watch. Until it is written, the content of an existing file is kept.
type resultFile struct {
	name    string // empty if the user wants none
	created bool
}

// openResultFile checks that the file can be written, and creates it if it does not exist.
func openResultFile(name string) (resultFile, error) {
	if name == "" {
		return resultFile{}, nil
	}
	_, err := os.Stat(name)
	created := errors.Is(err, os.ErrNotExist)
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666) //nolint:gosec // the file is named by the user
	if err != nil {
		return resultFile{}, err
	}
	return resultFile{name, created}, file.Close()
}

// write replaces the content of the file.
func (r resultFile) write(content func(io.Writer) error) error {
	if r.name == "" {
		return nil
	}
	file, err := os.Create(r.name)
	if err != nil {
		return err
	}
	return errors.Join(content(file), file.Close())
}

// discard removes the file if there is nothing to write and it did not exist before.
func (r resultFile) discard() error {
	if !r.created {
		return nil
	}
	return os.Remove(r.name)
}
