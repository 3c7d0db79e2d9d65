package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestResultDoesNotDependOnWorkers(t *testing.T) {
	few := []family{leakFamilies()[1], loadFamilies()[0]}
	once := run(few, 0, 2, 1)
	twice := run(few, 0, 2, 3)
	require.Equal(t, once, twice)

	require.GreaterOrEqual(t, once[0][0].columns[censusProbable].found[0], 60.0)
	require.False(t, once[1][0].columns[censusSuspected].falseAlarm)
}

// TestReportOfAllFamilies plays a case of each family in all columns.
func TestReportOfAllFamilies(t *testing.T) {
	all := families()
	for i := range all {
		// Some leaks are found in this time, and others missed.
		all[i].hours = min(all[i].hours, 12)
	}
	results := run(all, 0, 1, 2)
	var out bytes.Buffer
	report(&out, all, results)
	for _, f := range all {
		require.Contains(t, out.String(), "\n"+f.name)
	}
}
