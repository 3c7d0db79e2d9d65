package e2e

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var soakFor = flag.Duration("soak", 0, "how long TestSoak is to last; 0 is a minute or so")

// plan is how a soak goes on: cycles in which the backend first takes everything and
// then refuses everything. The first is to warm up: whatever is there for long has
// been built after it.
type plan struct {
	takes, refuses time.Duration
	cycles         int
	// hundreds is how many hundred targets there are.
	hundreds int
}

func newPlan() plan {
	if *soakFor == 0 {
		return plan{takes: 7 * time.Second, refuses: 10 * time.Second, cycles: 2, hundreds: 1}
	}
	p := plan{takes: time.Minute, refuses: time.Minute, hundreds: 5}
	p.cycles = max(2, int(*soakFor/(p.takes+p.refuses))-1)
	return p
}

// TestSoak has the collector scrape 500 targets a second (100 in the short run), which
// come, go, restart and leak, and itself, and send to a backend that refuses now and
// then. It must not lose anything, nor grow in any way, and must find what leaks and
// nothing else.
func TestSoak(t *testing.T) {
	t.Parallel()
	p, began := newPlan(), time.Now()
	s := startSoak(t, p)
	s.cycle(t, p)
	before := s.look(t)
	var memory []usage
	for range p.cycles {
		memory = append(memory, s.cycle(t, p))
	}
	after := s.look(t)
	s.checkFlags(t)
	sum := s.settle(t)
	s.collector.stop(t)

	s.checkNothingIsLost(t, sum)
	assert.Equal(t, before.entries, after.entries, "goroutines of the collector by entry, before and after")
	assert.Equal(t, before.descriptors, after.descriptors, "descriptors of the collector, before and after")
	latter := memory[len(memory)/2:]
	checkMemory(t, latter)
	s.report(t, began, sum, before, after, latter)
}

// soak is a collector, what it scrapes, and where it sends.
type soak struct {
	world     *world
	backend   *backend
	collector *soaked
}

func startSoak(t *testing.T, p plan) *soak {
	t.Helper()
	w := newWorld(t, p.hundreds)
	b := newBackend(t, w.sharedPort(), self)
	s := &soak{w, b, startSoaked(t, w, b)}
	await(t, time.Minute, "the collector scrapes and sends", func() bool {
		_, at := b.census()
		return !at.IsZero()
	})
	return s
}

// usage is the memory of the collector in one cycle, all of which go alike: the mean
// of what was resident, and the least that a collection left on the heap, for what is
// under way comes on top of that.
type usage struct {
	at time.Time
	footprint
}

// cycle has the backend take everything, then refuse everything.
func (s *soak) cycle(t *testing.T, p plan) usage {
	t.Helper()
	var seen []footprint
	again := time.NewTicker(time.Second)
	defer again.Stop()
	begin := time.Now()
	for time.Since(begin) < p.takes+p.refuses {
		now := <-again.C
		s.backend.refuse(now.Sub(begin) >= p.takes)
		seen = append(seen, s.collector.footprint(t))
	}
	s.backend.refuse(false)
	u := usage{time.Now(), footprint{live: seen[0].live}}
	for _, f := range seen {
		u.resident += f.resident / float64(len(seen))
		u.anonymous += f.anonymous / float64(len(seen))
		u.live = min(u.live, f.live)
	}
	return u
}

// slopeOf returns the slope of one kind of memory.
func slopeOf(kind func(usage) float64, of []usage) (rise, standardError float64) {
	var samples []sample
	for _, u := range of {
		samples = append(samples, sample{u.at, kind(u)})
	}
	return slope(samples)
}

func resident(u usage) float64  { return u.resident }
func anonymous(u usage) float64 { return u.anonymous }
func live(u usage) float64      { return u.live }

// checkMemory checks that memory grows by no more than a mebibyte in ten minutes, if
// it was watched for long enough to tell. What is live on the heap must not. What is
// resident, with and without the files that are mapped, must not beyond doubt: the runtime
// gives memory back late and in large parts, and the queue's file is compacted now and
// then, so that the mean of a cycle is off by some mebibytes.
func checkMemory(t *testing.T, of []usage) {
	t.Helper()
	const (
		allowed = 1 << 20 // bytes
		enough  = 7       // cycles, a quarter of an hour
		// doubt is Student's t for 97.5% and enough-2 degrees of freedom.
		doubt = 2.57
	)
	if len(of) < enough {
		return
	}
	rise, _ := slopeOf(live, of)
	assert.LessOrEqual(t, rise, float64(allowed), "live heap, bytes in ten minutes")
	for name, kind := range map[string]func(usage) float64{"resident": resident, "resident without files": anonymous} {
		rise, standardError := slopeOf(kind, of)
		assert.LessOrEqual(t, rise-doubt*standardError, float64(allowed), "%s memory, bytes in ten minutes at least", name)
	}
}

// held is what the collector holds: its goroutines by entry, and its descriptors by
// kind.
type held struct {
	entries, descriptors map[string]int64
}

// look looks several times at the collector, while all targets are there and none is
// replaced, and what was refused has been sent. A goroutine's entry is the same
// whatever it does.
func (s *soak) look(t *testing.T) held {
	t.Helper()
	const (
		looks = 7
		few   = 5 // requests
	)
	s.world.calm.Store(true)
	defer s.world.calm.Store(false)
	since := time.Now()
	await(t, 3*time.Minute, "all targets are scraped, and little is in the queue", func() bool {
		return s.world.allServedSince(since) && s.collector.counters(t)["otelcol_exporter_queue_size"] < few
	})
	var entries, descriptors []map[string]int64
	latest := time.Now()
	for range looks {
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
	h := held{lasting(entries), lasting(descriptors)}
	// It reads ahead on the connection of the very request that looks.
	delete(h.entries, "net/http.(*connReader).backgroundRead")
	return h
}

// lasting returns the second lowest of each key: a connection may have been cut just
// then, once, and what is there in all other looks is more than a request under way.
func lasting(looks []map[string]int64) map[string]int64 {
	values := make(map[string][]int64)
	for i, look := range looks {
		for key, n := range look {
			if values[key] == nil {
				values[key] = make([]int64, len(looks))
			}
			values[key][i] = n
		}
	}
	last := make(map[string]int64)
	for key, of := range values {
		slices.Sort(of)
		if of[1] > 0 {
			last[key] = of[1]
		}
	}
	return last
}

// settled is what was accepted and what has arrived when nothing is under way.
type settled struct {
	// scraping is for how long the targets answered.
	scraping time.Duration
	own      counters
	received received
}

func (s settled) accepted() int64 { return int64(s.own["otelcol_receiver_accepted_metric_points"]) }
func (s settled) sent() int64     { return int64(s.own["otelcol_exporter_sent_metric_points"]) }

// settle has no target answer any more, so that what was accepted can be compared
// with what arrives.
func (s *soak) settle(t *testing.T) settled {
	t.Helper()
	s.world.calm.Store(true)
	t.Cleanup(s.world.hold())
	sum := settled{scraping: time.Since(s.world.began)}
	within(time.Minute, func() bool {
		sum.own, sum.received = s.collector.counters(t), s.backend.soFar()
		return sum.accepted() == sum.received.points && sum.sent() == sum.received.points+sum.received.flags
	})
	return sum
}

// await waits until something is so.
func await(t *testing.T, patience time.Duration, what string, so func() bool) {
	t.Helper()
	require.True(t, within(patience, so), "not within %v: %s", patience, what)
}

// within asks until something is so, or patience is at its end.
func within(patience time.Duration, so func() bool) bool {
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-again.C {
		if so() {
			return true
		}
	}
	return false
}

// checkNothingIsLost compares what the targets served, the collector accepted and the
// backend received.
func (s *soak) checkNothingIsLost(t *testing.T, sum settled) {
	t.Helper()
	all, served := s.world.served()
	due := float64(len(s.world.targets)) * sum.scraping.Seconds()
	assert.Greater(t, float64(all), due/2, "scrapes, one a second for each target")
	assert.Equal(t, sum.accepted(), sum.received.points, "points accepted and arrived")
	assert.Equal(t, served, sum.received.scrapes, "scrapes served on the server that stays, and arrived")
	assert.Equal(t, sum.sent(), sum.received.points+sum.received.flags, "points sent, with flags, and arrived")
	for _, name := range []string{
		"otelcol_receiver_refused_metric_points", "otelcol_receiver_failed_metric_points",
		"otelcol_exporter_send_failed_metric_points", "otelcol_exporter_enqueue_failed_metric_points",
		"otelcol_processor_leak_detect_unwatched_points",
		"otelcol_processor_leak_detect_failed_batches", "otelcol_processor_leak_detect_state_errors",
		"otelcol_receiver_goroutine_panics",
	} {
		assert.Zero(t, sum.own[name], name)
	}
	assert.Positive(t, sum.received.refused, "the backend has refused")
}

// checkFlags checks that every leak is found, and nothing else: not the collector
// either.
func (s *soak) checkFlags(t *testing.T) {
	t.Helper()
	places, instances := s.backend.flags()
	for _, of := range s.world.targets {
		if severity := instances[of.endpoint]; of.behaviour == leaking {
			assert.EqualValues(t, 2, severity, "severity of %s, which leaks", of.endpoint)
		}
	}
	for service, of := range places {
		for at, severity := range of {
			if service == string(leaking) && at == leakPlace {
				continue
			}
			if !assert.Less(t, severity, int64(2), "severity of %+v in %s, which is in order", at, service) && service == self {
				t.Logf("what was told of it:%s", s.backend.courseOf(at))
			}
		}
	}
}

func (s *soak) report(t *testing.T, began time.Time, sum settled, before, after held, latter []usage) {
	t.Helper()
	served, _ := s.world.served()
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name, format string, cells ...any) {
		fmt.Fprintf(w, "%s\t%s\t\n", name, fmt.Sprintf(format, cells...))
	}
	memoryRow := func(name string, kind func(usage) float64) {
		const mebibyte = 1 << 20
		row(name, "%.1f MiB", kind(latter[len(latter)-1])/mebibyte)
		if len(latter) > 2 {
			rise, standardError := slopeOf(kind, latter)
			row("its slope in 10 min, second half", "%+.2f ± %.2f MiB", rise/mebibyte, standardError/mebibyte)
		}
	}
	row("lasted", "%v", time.Since(began).Round(time.Second))
	row("targets", "%d", len(s.world.targets))
	row("scrapes served", "%d", served)
	row("points accepted", "%d", sum.accepted())
	row("points arrived", "%d", sum.received.points)
	row("flags arrived", "%d", sum.received.flags)
	row("requests taken, refused", "%d, %d", sum.received.requests, sum.received.refused)
	row("goroutines before, after", "%d, %d", total(before.entries), total(after.entries))
	row("descriptors before, after", "%d, %d", total(before.descriptors), total(after.descriptors))
	memoryRow("resident memory", resident)
	memoryRow("resident, without files", anonymous)
	memoryRow("live heap", live)
	row("CPU of the collector", "%.1f s", s.collector.cpuSeconds())
	_ = w.Flush() // into memory
	t.Logf("\n%s", &table)
}

func total(counts map[string]int64) int64 {
	var sum int64
	for _, n := range counts {
		sum += n
	}
	return sum
}
