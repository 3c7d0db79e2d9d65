package main

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// TestMain also runs the child processes of the tests.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == serving || os.Args[1] == receiving) {
		if err := run(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// TestSuite runs the benchmark with fewer targets and a shorter interval. It does not check figures that depend on the
// machine.
func TestSuite(t *testing.T) {
	s := suite{
		interval: time.Second, poll: time.Second,
		sizes: []int{20, 100}, exchanged: 25, besidePeer: 20,
	}
	results, err := s.measure(t.Output())
	require.NoError(t, err)
	require.Len(t, results.Growth, 2)
	rows := make(map[string]float64)
	for _, r := range results.Rows {
		rows[r.Name] = r.Value
	}
	assert.Positive(t, rows["100 targets of 500 goroutines every 1 s: CPU"])
	assert.Positive(t, rows["100 targets of 500 goroutines every 1 s: memory"])
	assert.Positive(t, rows["100 targets of 500 goroutines every 1 s, by profile: CPU"])
	assert.Greater(t, rows["100 targets of 500 goroutines every 1 s: scrapes within their interval"], 50.)
	assert.Positive(t, rows["25 of 100 targets exchanged at once in a file: time until all new ones were scraped"])
	assert.Contains(t, rows, "25 of 100 targets exchanged at once in a file: scrapes of the others that were missed")
}
