package e2e

import (
	"flag"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// long selects the long forms of tests that try many cases, as `make e2e-long` does.
var long = flag.Bool("long", false, "kill the collector 50 times, and cut its database at every byte")

// collector is what `make collector` builds, and lean what `make lean` does.
var (
	collector = filepath.Join("..", "bin", "otelcol-goroutine")
	lean      = filepath.Join("..", "bin", "otelcol-goroutine-lean")
)
