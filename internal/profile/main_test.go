package profile

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// plenty is a limit that no profile of these tests comes near.
const plenty = 8 << 20
