package main

import (
	"bytes"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestResultDoesNotDependOnWorkers(t *testing.T) {
	few := []family{leakFamilies()[1], loadFamilies()[0]}
	var played atomic.Int64
	once := run(few, 0, 2, 1, &played)
	twice := run(few, 0, 2, 3, &played)
	require.Equal(t, once, twice)
	require.EqualValues(t, 8, played.Load())

	require.GreaterOrEqual(t, once[0][0].columns[censusProbable].found[0], 60.0)
	require.False(t, once[1][0].columns[censusSuspected].falseAlarm)
}

// TestReportOfAllFamilies plays a case of each family in all columns.
func TestReportOfAllFamilies(t *testing.T) {
	all := families()
	shorten(all)
	results := run(all, 0, 1, 2, new(atomic.Int64))
	var out bytes.Buffer
	report(&out, all, results)
	for _, f := range all {
		require.Contains(t, out.String(), "\n"+f.name)
	}
}

// TestReportOfSomeFamilies plays the families that -only selects.
func TestReportOfSomeFamilies(t *testing.T) {
	some := selectFamilies(families(), "twenty")
	require.Len(t, some, 2)
	shorten(some)
	var out bytes.Buffer
	reportTables(&out, some, run(some, 0, 1, 2, new(atomic.Int64)))
	require.Contains(t, out.String(), "\nleak, twenty replicas")
	require.NotContains(t, out.String(), "\nflat")
}

// shorten ends the cases after 12 hours, in which some leaks are found and others missed.
func shorten(all []family) {
	for i := range all {
		all[i].hours = min(all[i].hours, 12)
	}
}
