package origins

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// allBuilds selects every way in which a service may be built, as `make origins-check` does.
var allBuilds = flag.Bool("all-builds", false, "build the services in every way, not only the plain one")
