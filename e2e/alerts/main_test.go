package alerts

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	root   = filepath.Join("..", "..")
	deploy = filepath.Join(root, "deploy")
	// collector is what `make collector` builds.
	collector = filepath.Join(root, "bin", "otelcol-goroutine")
	// newPrometheus is what `make prometheus` builds, and need not be there.
	newPrometheus = filepath.Join(root, "bin", "tools", "prometheus")
)
