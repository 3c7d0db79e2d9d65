package auto

import (
	"context"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// The import must have started nothing in a test binary, so that the goleak of a service
// finds nothing. Each test starts its own.
func TestMain(m *testing.M) {
	select {
	case <-current.ended:
	default:
		fmt.Fprintln(os.Stderr, "the import has started something")
		os.Exit(1)
	}
	if err := Shutdown(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}
