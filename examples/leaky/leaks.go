package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"
)

// leak is a planted mistake.
type leak struct {
	// every is the time between two calls.
	every time.Duration
	// call makes one call. It does not block.
	call func()
}

// plantLeaks returns all mistakes of this service. Each leaks two to four goroutines a second, to
// show in a minute what takes hours elsewhere. The rates differ, since two leaks with the same rate
// may be reported as one.
func plantLeaks() []leak {
	var quotes quoteTraffic
	return []leak{
		{every: time.Second / 3, call: func() { go waitForReply(make(chan string)) }},
		{every: 10 * time.Millisecond, call: quotes.next}, // 100 calls/s, 2% of which hang
		{every: 2 * time.Second / 7, call: func() { go pollForever(2 * time.Second) }},
		{every: 2 * time.Second / 5, call: auditTraffic()},
	}
}

// run makes the calls until ctx is done. Leaked goroutines remain.
func (l leak) run(ctx context.Context) {
	ticker := time.NewTicker(l.every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			l.call()
		}
	}
}

// waitForReply waits for the reply to a message.
//
// Mistake: the message was dropped, so no reply will ever come, and there is neither
// a timeout nor a context.
func waitForReply(reply <-chan string) {
	<-reply
}

// quoteTraffic is healthy traffic in which the backend is slow for every fiftieth
// call.
type quoteTraffic struct{ calls int }

func (q *quoteTraffic) next() {
	q.calls++
	go fetchQuote(latency(q.calls))
}

// latency returns how long the backend takes for a call.
func latency(call int) time.Duration {
	if call%50 == 0 {
		return 2 * patience
	}
	return patience / 10
}

// patience is how long fetchQuote waits for its backend: long enough that the other
// calls succeed on a busy machine.
const patience = 250 * time.Millisecond

// fetchQuote asks the backend for a quote and gives up after patience. It does not
// leak itself.
func fetchQuote(latency time.Duration) (quote string, ok bool) {
	answer := make(chan string)
	go askSlowBackend(answer, latency)
	select {
	case quote = <-answer:
		return quote, true
	case <-time.After(patience):
		return "", false
	}
}

// askSlowBackend gets the answer for fetchQuote.
//
// Mistake: the channel is unbuffered, so once fetchQuote has given up, the
// send blocks forever. A channel with a buffer of one value lets every call
// complete.
func askSlowBackend(answer chan<- string, latency time.Duration) {
	time.Sleep(latency)
	answer <- "42.00"
}

// pollForever follows a feed for one subscriber.
//
// Mistake: the loop has no exit, so it continues after the subscriber has
// left.
//
// No single line shows this leak. All loops poll at the same time, so at any
// time they are at one line of pollOnce, and a moment later at another one.
// Only the number of goroutines that were started with pollForever never
// falls.
func pollForever(period time.Duration) {
	for {
		pollOnce(period)
	}
}

// pollOnce sleeps until the next multiple of the period, waits a third of the period
// for the feed, computes, and waits another third for news.
func pollOnce(period time.Duration) {
	time.Sleep(untilMultiple(period))
	page := <-time.After(period / 3)
	digest := sha256.Sum256([]byte(page.String()))
	for range 20 {
		digest = sha256.Sum256(digest[:])
	}
	var news chan struct{} // never receives
	select {
	case <-news:
	case <-time.After(period / 3):
	}
}

// untilMultiple returns the time until the next multiple of period.
func untilMultiple(period time.Duration) time.Duration {
	return period - time.Duration(time.Now().UnixNano())%period
}

// auditLog is a log file with many writers.
type auditLog struct {
	mu    sync.Mutex
	lines int
}

var errDiskFull = errors.New("disk full")

// rotate starts a new file.
//
// Mistake: the early return leaves the mutex locked. The goroutines wait in
// writeAudit, not here.
func (a *auditLog) rotate(free int) error {
	a.mu.Lock()
	if free == 0 {
		return errDiskFull
	}
	a.lines = 0
	a.mu.Unlock()
	return nil
}

// writeAudit adds a line. It waits for a mutex that rotate never unlocked.
func writeAudit(a *auditLog) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lines++
}

// auditTraffic returns calls that write to a log whose rotation has failed.
func auditTraffic() func() {
	var audit auditLog
	_ = audit.rotate(0) // errors like this are often ignored
	return func() { go writeAudit(&audit) }
}
