package manifests

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// folder is what is tested.
var folder = filepath.Join("..", "..", "deploy", "kubernetes")

// The collectors that `make collector` and `make lean` build.
var (
	full = filepath.Join("..", "..", "bin", "otelcol-goroutine")
	lean = filepath.Join("..", "..", "bin", "otelcol-goroutine-lean")
)
