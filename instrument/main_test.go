package instrument

import (
	"testing"

	"go.uber.org/goleak"
)

// What leakHere leaks is what the runtime is to prove.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction(here("leakHere"))) }
