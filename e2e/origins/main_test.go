package origins

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// allBuilds selects all ways to build a service. `make origins-check` sets it.
var allBuilds = flag.Bool("all-builds", false, "build the services in every way, not only the plain one")
