package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestClosing holds what docs/decisions/findings.md says to the first deploys of the table.
func TestClosing(t *testing.T) {
	if raceDetector {
		t.Skip("the simulation takes ten times as long with the race detector, which TestChain runs with")
	}
	counted := func(r result) bool { return !r.scenario.apart }
	trials, wrong, due, closed, ratios := simulate(40, true).figures(counted)
	assert.Greater(t, trials, 30)
	assert.Zero(t, wrong)
	assert.GreaterOrEqual(t, float64(closed), 0.8*float64(due))
	assert.Less(t, ratios[len(ratios)/2], 1.5)

	_, wrong, _, closed, _ = simulate(16, false).figures(counted)
	assert.Zero(t, wrong)
	assert.Positive(t, closed)
}
