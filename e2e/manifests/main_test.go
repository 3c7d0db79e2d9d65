package manifests

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// folder has the manifests to test.
var folder = filepath.Join("..", "..", "deploy", "kubernetes")

// full is built by `make collector`, lean by `make lean`.
var (
	full = filepath.Join("..", "..", "bin", "otelcol-goroutine")
	lean = filepath.Join("..", "..", "bin", "otelcol-goroutine-lean")
)
