package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// resources has the collector's goroutines by entry, and its descriptors by kind.
type resources struct {
	entries, descriptors map[string]int64
}

// differences returns what differs from before. Only connections, and scrapes in flight, may be fewer: on a busy machine
// there were more, and each leaves an idle connection behind for a while.
func (r resources) differences(before resources) []string {
	var all []string
	compare := func(before, after map[string]int64, mayFall func(key string) bool) {
		either := maps.Clone(before)
		maps.Copy(either, after)
		for _, key := range slices.Sorted(maps.Keys(either)) {
			if after[key] > before[key] || after[key] < before[key] && !mayFall(key) {
				all = append(all, fmt.Sprintf("%s: %d before, %d after", key, before[key], after[key]))
			}
		}
	}
	compare(before.entries, r.entries, func(entry string) bool {
		return strings.HasPrefix(entry, "net/http.(*persistConn).") || entry == "net/http.(*conn).serve" ||
			strings.Contains(entry, "/goroutinereceiver.(*schedule).")
	})
	compare(before.descriptors, r.descriptors, func(kind string) bool { return kind == "socket" })
	return all
}

func TestDifferencesOfResources(t *testing.T) {
	const worker, connection = "main.worker", "net/http.(*persistConn).readLoop"
	before := resources{map[string]int64{worker: 2, connection: 3}, map[string]int64{"socket": 4, "/dev/null": 1}}
	same := resources{map[string]int64{worker: 2, connection: 1}, map[string]int64{"socket": 3, "/dev/null": 1}}
	assert.Empty(t, same.differences(before))
	other := resources{map[string]int64{worker: 1, connection: 4, "main.leaked": 1}, map[string]int64{"socket": 5}}
	assert.Equal(t, []string{
		"main.leaked: 0 before, 1 after", "main.worker: 2 before, 1 after", connection + ": 3 before, 4 after",
		"/dev/null: 1 before, 0 after", "socket: 4 before, 5 after",
	}, other.differences(before))
}

// measureUntilAs measures until nothing differs from before, or a few times. What has leaked does not go away, but more
// requests may be in flight at one time than at another.
func (s *soak) measureUntilAs(t *testing.T, before resources) (after resources) {
	t.Helper()
	for range 4 {
		if after = s.measure(t); len(after.differences(before)) == 0 {
			break
		}
	}
	return after
}

// measure samples the resources of the collector several times, while all targets respond, none is
// replaced, and the queue is almost empty. Goroutines are counted by entry, which does not change.
func (s *soak) measure(t *testing.T) resources {
	t.Helper()
	const (
		samples = 7
		few     = 5 // requests
	)
	s.pool.calm.Store(true)
	defer s.pool.calm.Store(false)
	since := time.Now()
	await(t, 3*time.Minute, "all targets are scraped, and the queue is almost empty", func() bool {
		return s.pool.allServedSince(since) && s.collector.counters(t)["otelcol_exporter_queue_size"] < few
	})
	var entries, descriptors []map[string]int64
	latest := time.Now()
	for range samples {
		await(t, 2*time.Minute, "the collector's scrape of itself has arrived", func() bool {
			scraped, at := s.backend.census()
			if !at.After(latest) {
				return false
			}
			entries, latest = append(entries, scraped), at
			return true
		})
		descriptors = append(descriptors, s.collector.descriptors(t))
	}
	r := resources{entries: lasting(entries), descriptors: lasting(descriptors)}
	// The server reads ahead on the connection of the scrape itself.
	delete(r.entries, "net/http.(*connReader).backgroundRead")
	return r
}

// lasting returns the second lowest value of each key over the samples. A connection may be missing in one
// sample, and a request in flight is not in all others.
func lasting(samples []map[string]int64) map[string]int64 {
	values := make(map[string][]int64)
	for i, counts := range samples {
		for key, n := range counts {
			if values[key] == nil {
				values[key] = make([]int64, len(samples))
			}
			values[key][i] = n
		}
	}
	last := make(map[string]int64)
	for key, sorted := range values {
		slices.Sort(sorted)
		if sorted[1] > 0 {
			last[key] = sorted[1]
		}
	}
	return last
}
