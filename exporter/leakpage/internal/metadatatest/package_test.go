package metadatatest

import (
	"testing"

	"go.uber.org/goleak"
)

// mdatagen writes this for the component alone.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}
