package e2e

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// collector is what `make collector` builds.
var collector = filepath.Join("..", "bin", "otelcol-goroutine")
