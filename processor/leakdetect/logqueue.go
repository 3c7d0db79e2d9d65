package leakdetect

import (
	"sync"

	"go.uber.org/zap"
)

// logLine is a line of the log.
type logLine struct {
	message string
	fields  []zap.Field
}

// logQueue holds lines until the state that they report is saved: if a leak were logged before, a
// collector that is killed in between would log it again.
type logQueue struct {
	logger *zap.Logger

	mu      sync.Mutex
	holding bool
	queued  []logLine
}

// maxQueued is the maximum number of queued lines, of some 500 bytes each and at most 8 KiB.
// Further lines are logged at once.
const maxQueued = 1000

// log queues lines, or logs them at once if the queue does not hold lines or is full.
func (q *logQueue) log(lines []logLine) {
	if !q.enqueue(lines) {
		q.write(lines)
	}
}

func (q *logQueue) enqueue(lines []logLine) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.holding || len(q.queued)+len(lines) > maxQueued {
		return false
	}
	q.queued = append(q.queued, lines...)
	return true
}

// hold sets whether lines are held.
func (q *logQueue) hold(on bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.holding = on
}

// drain removes and returns the queued lines. A state encoded afterwards contains what they report.
func (q *logQueue) drain() []logLine {
	q.mu.Lock()
	defer q.mu.Unlock()
	lines := q.queued
	q.queued = nil
	return lines
}

func (q *logQueue) write(lines []logLine) {
	for _, l := range lines {
		q.logger.Info(l.message, l.fields...)
	}
}
