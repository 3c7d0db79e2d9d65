package meter

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
)

// sink consumes the metrics of a receiver and records when each target was scraped.
type sink struct {
	mu      sync.Mutex
	scrapes map[string][]time.Time // successful scrapes, by instance
	seconds map[int64]int          // scrapes by second
	failed  int
	more    chan struct{} // has a value after a target was scraped for the first time
}

func newSink() *sink {
	return &sink{scrapes: make(map[string][]time.Time), seconds: make(map[int64]int), more: make(chan struct{}, 1)}
}

// consume records a scrape.
func (s *sink) consume(_ context.Context, metrics pmetric.Metrics) error {
	now := time.Now()
	for _, r := range metrics.ResourceMetrics().All() {
		instance, known := r.Resource().Attributes().Get("service.instance.id")
		if !known {
			return errors.New("scrape without service.instance.id")
		}
		s.record(instance.AsString(), isUp(r), now)
	}
	return nil
}

func (s *sink) record(instance string, up bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seconds[now.Unix()]++
	if !up {
		s.failed++
		return
	}
	if s.scrapes[instance] = append(s.scrapes[instance], now); len(s.scrapes[instance]) == 1 {
		select {
		case s.more <- struct{}{}:
		default:
		}
	}
}

// isUp reports whether a scrape succeeded.
func isUp(r pmetric.ResourceMetrics) bool {
	for _, scope := range r.ScopeMetrics().All() {
		for _, m := range scope.Metrics().All() {
			if m.Name() == "goroutine.scrape.up" || m.Name() == "up" {
				p := m.Gauge().DataPoints().At(0)
				return p.IntValue() == 1 || p.DoubleValue() == 1
			}
		}
	}
	return false
}

// await waits until a number of targets have been scraped.
func (s *sink) await(targets int, timeout time.Duration) error {
	late := time.After(timeout)
	for {
		s.mu.Lock()
		have, failed := len(s.scrapes), s.failed
		s.mu.Unlock()
		if have >= targets {
			return nil
		}
		select {
		case <-s.more:
		case <-late:
			return fmt.Errorf("%d of %d targets were scraped within %v, and %d scrapes failed", have, targets, timeout, failed)
		}
	}
}

// failures returns the number of failed scrapes.
func (s *sink) failures() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// inTime returns the number of scrapes in the intervals since began, and the share of the due ones that were made.
// One scrape of each target is due in each interval.
func (s *sink) inTime(began time.Time, plan Plan) (scrapes int, share float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	due, made := plan.Targets*plan.Intervals, 0
	for _, all := range s.scrapes {
		n := 0
		for _, at := range all {
			if !at.Before(began) && at.Before(began.Add(time.Duration(plan.Intervals)*plan.Interval)) {
				n++
			}
		}
		scrapes += n
		made += min(n, plan.Intervals)
	}
	return scrapes, float64(made) / float64(due)
}

// peak returns the number of scrapes in the busiest second between two times, relative to the mean.
func (s *sink) peak(from, to time.Time, plan Plan) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	most := 0
	for second, n := range s.seconds {
		if second >= from.Unix() && second <= to.Unix() {
			most = max(most, n)
		}
	}
	return float64(most) / (float64(plan.Targets) / plan.Interval.Seconds())
}

// lost returns the number of omitted scrapes of remaining targets between two times, in which a number of targets
// left the list. A gap of more than one and a half intervals counts as one.
func (s *sink) lost(from, to time.Time, left int, interval time.Duration) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	tooLong := 3 * interval / 2
	lost, ended := 0, 0
	for _, all := range s.scrapes {
		if to.Sub(all[len(all)-1]) > tooLong {
			ended++
		}
		if all[0].After(from) {
			continue // the second scrape of a new target may be that late
		}
		for i, at := range all[1:] {
			if due := all[i].Add(interval); due.After(from) && at.Sub(all[i]) > tooLong {
				lost++
			}
		}
	}
	return lost + max(0, ended-left)
}
