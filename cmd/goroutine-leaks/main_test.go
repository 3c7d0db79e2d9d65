package main

import (
	"context"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// asCommand has the test binary be the command, for tests of a process of its own.
const asCommand = "GOROUTINE_LEAKS_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(run(context.Background(), os.Args[1:], streams{stdout: os.Stdout, stderr: os.Stderr}))
	}
	goleak.VerifyTestMain(m)
}
