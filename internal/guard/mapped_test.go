//go:build unix

package guard

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Reading a page of a mapped file after the file was truncated causes a fault.
func TestFaultInMappedMemory(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "mapped"))
	if err != nil {
		t.Fatal(err)
	}
	size := os.Getpagesize()
	if err := file.Truncate(int64(size)); err != nil {
		t.Fatal(err)
	}
	mapped, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Truncate(0); err != nil {
		t.Fatal(err)
	}
	var read byte
	err = CallMapped(func() error {
		read = mapped[0]
		return nil
	})
	if !errors.As(err, new(*Panic)) || read != 0 {
		t.Errorf("got %v, read %d", err, read)
	}
	if err := errors.Join(syscall.Munmap(mapped), file.Close()); err != nil {
		t.Error(err)
	}
}
