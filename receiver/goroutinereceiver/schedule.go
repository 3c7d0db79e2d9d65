package goroutinereceiver

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// schedule scrapes many targets, each once per interval. A single goroutine waits for all of them,
// and each scrape has a goroutine while it lasts, so that waiting targets need no stacks. schedule
// is safe for concurrent use.
type schedule struct {
	interval time.Duration
	scrape   func(context.Context, *target)
	// start runs a function in a goroutine that Shutdown joins.
	start func(func())
	began time.Time

	mu      sync.Mutex
	waiting itemHeap
	wakeup  chan struct{} // receives a value if the first item has changed
}

// scheduleItem is a target in a schedule. Times are relative to the start of the schedule.
type scheduleItem struct {
	target    *target
	offset    time.Duration // in the interval
	due       time.Duration
	heapIndex int // in schedule.waiting
	status    itemStatus
	// isNew reports whether the item has not been due since it was added.
	isNew bool
	// stop cancels the current scrape, and ended is closed when the scrape has ended.
	stop  context.CancelFunc
	ended chan struct{}
	// predecessor is closed when the last scrape of the previous process at the address has
	// ended. It is nil if there was none.
	predecessor <-chan struct{}
}

type itemStatus uint8

const (
	statusAbsent   itemStatus = iota // not in the schedule
	statusWaiting                    // until it is due
	statusScraping                   // then statusWaiting
	statusLeaving                    // scraping, then statusAbsent
)

func newSchedule(interval time.Duration, scrape func(context.Context, *target), start func(func())) *schedule {
	return &schedule{interval: interval, scrape: scrape, start: start, began: time.Now(), wakeup: make(chan struct{}, 1)}
}

// add schedules the first scrape of a target within soon, and the others at its offset in the
// interval, the second at least half an interval after the first. A removed item may be added
// again. predecessor is the previous process at the address, or nil.
func (s *schedule) add(it, predecessor *scheduleItem, soon time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	it.offset = it.target.offset(s.interval)
	it.due = time.Since(s.began) + it.target.offset(soon)
	it.isNew = true
	if predecessor != nil && predecessor.status == statusLeaving {
		it.predecessor = predecessor.ended
	}
	if it.status == statusLeaving { // the last scrape has not ended
		it.status = statusScraping
		return
	}
	s.enqueue(it)
}

// remove removes a target and cancels its scrape.
func (s *schedule) remove(it *scheduleItem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch it.status {
	case statusWaiting:
		heap.Remove(&s.waiting, it.heapIndex)
		it.status = statusAbsent
		it.target.release()
	case statusScraping:
		it.stop()
		it.status = statusLeaving
	}
}

// enqueue adds an item to the waiting ones. The caller holds mu.
func (s *schedule) enqueue(it *scheduleItem) {
	it.status = statusWaiting
	heap.Push(&s.waiting, it)
	if it.heapIndex == 0 {
		select {
		case s.wakeup <- struct{}{}:
		default:
		}
	}
}

// run starts due scrapes until ctx is done, which also cancels the scrapes.
func (s *schedule) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-s.wakeup:
		}
		timer.Reset(s.startDue(ctx))
	}
}

// startDue starts the scrapes that are due and returns the time until the next one.
func (s *schedule) startDue(ctx context.Context) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Since(s.began)
	for len(s.waiting) > 0 && s.waiting[0].due <= now {
		it := heap.Pop(&s.waiting).(*scheduleItem)
		it.status, it.ended = statusScraping, make(chan struct{})
		scrapeCtx, stop := context.WithCancel(ctx)
		it.stop = stop
		it.advance(s.interval)
		s.start(func() { s.runScrape(scrapeCtx, it) })
	}
	if len(s.waiting) == 0 {
		return s.interval
	}
	return s.waiting[0].due - now
}

// advance sets the time of the next scrape.
func (it *scheduleItem) advance(interval time.Duration) {
	earliest := it.due + interval
	if it.isNew {
		earliest = it.due + interval/2
	}
	it.isNew = false
	it.due = it.next(earliest, interval)
}

// next returns the first time at the offset of the item that is not before earliest.
func (it *scheduleItem) next(earliest, interval time.Duration) time.Duration {
	return earliest + (it.offset-earliest%interval+interval)%interval
}

// runScrape scrapes a target. Scrapes that become due meanwhile are skipped: a slow target gets a
// pause and keeps its offset.
func (s *schedule) runScrape(ctx context.Context, it *scheduleItem) {
	if it.predecessor != nil {
		<-it.predecessor
		it.predecessor = nil
	}
	s.scrape(ctx, it.target)
	s.mu.Lock()
	defer s.mu.Unlock()
	it.stop()
	close(it.ended)
	if it.status == statusLeaving {
		it.status = statusAbsent
		it.target.release()
		return
	}
	if now := time.Since(s.began); it.due <= now && !it.isNew {
		it.due = it.next(now+1, s.interval)
	}
	s.enqueue(it)
}

// releaseTargets releases all targets. Their scrapes must have ended.
func (s *schedule) releaseTargets() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, it := range s.waiting {
		it.target.release()
	}
}

// itemHeap is a heap of items by the time at which they are due.
type itemHeap []*scheduleItem

func (h itemHeap) Len() int           { return len(h) }
func (h itemHeap) Less(i, j int) bool { return h[i].due < h[j].due }
func (h itemHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heapIndex, h[j].heapIndex = i, j
}

func (h *itemHeap) Push(x any) {
	it := x.(*scheduleItem)
	it.heapIndex = len(*h)
	*h = append(*h, it)
}

func (h *itemHeap) Pop() any {
	last := len(*h) - 1
	it := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return it
}
