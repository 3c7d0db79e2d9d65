package goroutinereceiver

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// schedule has each of many targets scraped once an interval. One goroutine waits for all of
// them, and a scrape has one of its own for as long as it lasts: a target that waits needs no
// stack. It is safe for concurrent use.
type schedule struct {
	interval time.Duration
	scrape   func(context.Context, *target)
	// start runs a function in a goroutine that Shutdown joins.
	start func(func())
	began time.Time

	mu      sync.Mutex
	waiting rounds
	sooner  chan struct{} // has a value when another round is due before all others
}

// round is the place of a target in a schedule. Times are since the schedule began.
type round struct {
	target *target
	offset time.Duration // in the interval
	due    time.Duration
	place  int // in rounds.waiting
	status roundStatus
	// fresh tells that it was not due yet since it was added.
	fresh bool
	// stop ends the scrape that is under way, and ended is closed when it has.
	stop  context.CancelFunc
	ended chan struct{}
	// former is closed when the last scrape has ended of the process that had the address before.
	former <-chan struct{}
}

type roundStatus uint8

const (
	absent   roundStatus = iota // in no schedule
	waiting                     // until it is due
	scraping                    // the target is scraped, and then waits
	leaving                     // the target is scraped, and then leaves
)

func newSchedule(interval time.Duration, scrape func(context.Context, *target), start func(func())) *schedule {
	return &schedule{interval: interval, scrape: scrape, start: start, began: time.Now(), sooner: make(chan struct{}, 1)}
}

// add has a target scraped within soon for the first time, and then at its offset in the
// interval, but not sooner than half an interval after the first. It may have been removed
// before. former is the process that had the address until now, if there was one.
func (s *schedule) add(r, former *round, soon time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.offset = r.target.offset(s.interval)
	r.due = time.Since(s.began) + r.target.offset(soon)
	r.fresh = true
	if former != nil && former.status == leaving {
		r.former = former.ended
	}
	if r.status == leaving { // its last scrape has not ended
		r.status = scraping
		return
	}
	s.wait(r)
}

// remove ends the scrapes of a target.
func (s *schedule) remove(r *round) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.status {
	case waiting:
		heap.Remove(&s.waiting, r.place)
		r.status = absent
		r.target.leave()
	case scraping:
		r.stop()
		r.status = leaving
	}
}

// wait has a round wait until it is due.
func (s *schedule) wait(r *round) {
	r.status = waiting
	heap.Push(&s.waiting, r)
	if r.place == 0 {
		select {
		case s.sooner <- struct{}{}:
		default:
		}
	}
}

// run begins the scrapes that are due until ctx ends, which ends those that are under way.
func (s *schedule) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-s.sooner:
		}
		timer.Reset(s.begin(ctx))
	}
}

// begin begins the scrapes that are due, and returns in which time the next is.
func (s *schedule) begin(ctx context.Context) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Since(s.began)
	for len(s.waiting) > 0 && s.waiting[0].due <= now {
		r := heap.Pop(&s.waiting).(*round)
		r.status, r.ended = scraping, make(chan struct{})
		scrapeCtx, stop := context.WithCancel(ctx)
		r.stop = stop
		r.advance(s.interval)
		s.start(func() { s.carryOut(scrapeCtx, r) })
	}
	if len(s.waiting) == 0 {
		return s.interval
	}
	return s.waiting[0].due - now
}

// advance sets when the next scrape is due after one that was due.
func (r *round) advance(interval time.Duration) {
	earliest := r.due + interval
	if r.fresh {
		earliest = r.due + interval/2
	}
	r.fresh = false
	r.due = r.next(earliest, interval)
}

// next returns the first time at the offset of the round that is not before earliest.
func (r *round) next(earliest, interval time.Duration) time.Duration {
	return earliest + (r.offset-earliest%interval+interval)%interval
}

// carryOut scrapes a target. Scrapes that fall due while one lasts drop out: a target that is
// slow is given a rest, and keeps its place in the interval.
func (s *schedule) carryOut(ctx context.Context, r *round) {
	if r.former != nil {
		<-r.former
		r.former = nil
	}
	s.scrape(ctx, r.target)
	s.mu.Lock()
	defer s.mu.Unlock()
	r.stop()
	close(r.ended)
	if r.status == leaving {
		r.status = absent
		r.target.leave()
		return
	}
	if now := time.Since(s.began); r.due <= now && !r.fresh {
		r.due = r.next(now+1, s.interval)
	}
	s.wait(r)
}

// leave has all targets leave, once their scrapes have ended.
func (s *schedule) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.waiting {
		r.target.leave()
	}
}

// rounds are a heap, the first of which is due first.
type rounds []*round

func (r rounds) Len() int           { return len(r) }
func (r rounds) Less(i, j int) bool { return r[i].due < r[j].due }
func (r rounds) Swap(i, j int) {
	r[i], r[j] = r[j], r[i]
	r[i].place, r[j].place = i, j
}

func (r *rounds) Push(x any) {
	added := x.(*round)
	added.place = len(*r)
	*r = append(*r, added)
}

func (r *rounds) Pop() any {
	last := len(*r) - 1
	popped := (*r)[last]
	(*r)[last] = nil
	*r = (*r)[:last]
	return popped
}
