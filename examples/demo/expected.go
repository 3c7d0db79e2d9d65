package main

// planted is a leak that examples/leaky has.
type planted struct {
	// function is the one to blame, or the entry.
	function string
	mistake  string
}

// plantedLeaks is all that may be flagged, and all that must be. What else is
// flagged is healthy.
func plantedLeaks() []planted {
	return []planted{
		{"main.waitForReply", "a receive from a channel to which nobody will send"},
		{"main.askSlowBackend", "a send to a caller that has given up, in 2% of calls"},
		{"main.pollForever", "a loop without a way out, sleeping and working"},
		{"main.writeAudit", "a wait for a mutex that was never unlocked"},
	}
}

// explains tells whether a finding is about the planted leak.
func (p planted) explains(f finding) bool {
	return f.function == p.function || f.entry == p.function
}
