//go:build unix && !solaris && !aix

package heldfile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

// locked returns a file whose lock is held until the test ends.
func locked(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "stamps")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLeaky(t *testing.T) {
	path := locked(t)
	leaktest.Leaks(t, "StampLeaky", "syscall", func() { _ = StampLeaky(path, "noon") })
}

func TestRepaired(t *testing.T) {
	path := locked(t)
	leaktest.Clean(t, func() {
		ctx, cancel := context.WithTimeout(t.Context(), 3*retryEvery)
		defer cancel()
		if err := StampRepaired(ctx, path, "noon"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if err := StampRepaired(t.Context(), path+".free", "noon"); err != nil {
			t.Error(err)
		}
	})
	if text, err := os.ReadFile(path + ".free"); err != nil || string(text) != "noon\n" {
		t.Errorf("stamped %q, error %v", text, err)
	}
}
