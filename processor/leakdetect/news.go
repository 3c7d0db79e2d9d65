package leakdetect

import (
	"sync"

	"go.uber.org/zap"
)

// line is one line for the log.
type line struct {
	message string
	fields  []zap.Field
}

// news are lines that wait until what they tell of is kept: a leak that is told before
// that would be told again by a collector that was killed in between.
type news struct {
	log *zap.Logger

	mu      sync.Mutex
	keeps   bool // they wait only while somebody keeps
	waiting []line
}

// maxWaiting bounds what waits, at some 500 bytes each and 8 KiB at most. What comes
// above that is told at once.
const maxWaiting = 1000

// tell has lines logged once they are kept, or now if nothing is.
func (n *news) tell(lines []line) {
	if !n.wait(lines) {
		n.print(lines)
	}
}

func (n *news) wait(lines []line) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.keeps || len(n.waiting)+len(lines) > maxWaiting {
		return false
	}
	n.waiting = append(n.waiting, lines...)
	return true
}

// keep has lines wait from now on, or not any more.
func (n *news) keep(on bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.keeps = on
}

// take returns the lines that wait. What they tell of is in the state that is encoded
// from now on.
func (n *news) take() []line {
	n.mu.Lock()
	defer n.mu.Unlock()
	lines := n.waiting
	n.waiting = nil
	return lines
}

func (n *news) print(lines []line) {
	for _, l := range lines {
		n.log.Info(l.message, l.fields...)
	}
}
