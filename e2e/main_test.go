package e2e

import (
	"flag"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// long selects the long variants of tests with many cases. `make e2e-long` sets it.
var long = flag.Bool("long", false, "kill the collector 50 times, and damage its state file at every byte")

// collector is built by `make collector`, lean by `make lean`.
var (
	collector = filepath.Join("..", "bin", "otelcol-goroutine")
	lean      = filepath.Join("..", "bin", "otelcol-goroutine-lean")
)
