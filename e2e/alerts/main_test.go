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
	// collector is built by `make collector`.
	collector = filepath.Join(root, "bin", "otelcol-goroutine")
	// newPrometheus is built by `make prometheus`. It may not exist.
	newPrometheus = filepath.Join(root, "bin", "tools", "prometheus")
)
