package auto

import (
	"context"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// What the import has started is ended first: each test starts its own.
func TestMain(m *testing.M) {
	if err := Shutdown(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}
