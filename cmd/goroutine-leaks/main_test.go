package main

import (
	"context"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// asCommand makes the test binary run the command, for tests that need a separate process.
const asCommand = "GOROUTINE_LEAKS_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(run(context.Background(), os.Args[1:], streams{stdout: os.Stdout, stderr: os.Stderr}))
	}
	goleak.VerifyTestMain(m)
}
