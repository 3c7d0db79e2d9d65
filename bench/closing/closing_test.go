package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestClosing checks the figures in docs/decisions/findings.md with the first deploys of the table.
func TestClosing(t *testing.T) {
	if raceDetector {
		t.Skip("the simulation takes ten times as long with the race detector, which TestChain runs with")
	}
	counted := func(r result) bool { return !r.scenario.apart }
	f := simulate(40, true).figures(counted)
	assert.Greater(t, f.trials, 30)
	assert.Zero(t, f.wrong)
	assert.GreaterOrEqual(t, f.seen.within(1.5, f.due), 0.8)
	assert.GreaterOrEqual(t, f.rule.within(1.5, f.due), 0.8)

	f = simulate(16, false).figures(counted)
	assert.Zero(t, f.wrong)
	assert.Positive(t, f.closed)
}
