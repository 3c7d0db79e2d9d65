package e2e

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var soakFor = flag.Duration("soak", 0, "duration of TestSoak; 0 is about a minute")

// plan is the schedule of a soak. In each cycle the backend first accepts everything, and then refuses
// everything. A cycle for warming up comes in addition.
type plan struct {
	accepts, refuses time.Duration
	cycles           int
	// hundreds is the number of targets, in hundreds.
	hundreds int
}

func newPlan() plan {
	if *soakFor == 0 {
		return plan{accepts: 7 * time.Second, refuses: 10 * time.Second, cycles: 2, hundreds: 1}
	}
	p := plan{accepts: time.Minute, refuses: time.Minute, hundreds: 5}
	p.cycles = max(2, int(*soakFor/(p.accepts+p.refuses))-1)
	return p
}

// TestSoak runs a collector that scrapes itself and 500 targets a second (100 in the short run), which
// come, go, restart and leak, and that sends to a backend which refuses at times. The collector must not
// lose data or grow, and must flag exactly the leaks.
func TestSoak(t *testing.T) {
	t.Parallel()
	p, began := newPlan(), time.Now()
	s := startSoak(t, p)
	s.cycle(t, p)
	before := s.measure(t)
	var memory []usage
	for range p.cycles {
		memory = append(memory, s.cycle(t, p))
	}
	after := s.measureUntilAs(t, before)
	s.checkFlags(t)
	sum := s.drain(t)
	s.collector.stop(t)

	s.checkNothingIsLost(t, sum)
	assert.Empty(t, after.differences(before), "goroutines of the collector by entry, and its descriptors, before and after")
	latter := memory[len(memory)/2:]
	checkMemory(t, latter)
	s.report(t, began, sum, before, after, latter)
}

// soak is a collector with its targets and its backend.
type soak struct {
	pool      *targetPool
	backend   *backend
	collector *soakedCollector
}

func startSoak(t *testing.T, p plan) *soak {
	t.Helper()
	targets := newTargetPool(t, p.hundreds)
	b := newBackend(t, targets.sharedPort(), self)
	s := &soak{targets, b, startSoakedCollector(t, targets, b)}
	await(t, time.Minute, "the collector scrapes and sends", func() bool {
		_, at := b.census()
		return !at.IsZero()
	})
	return s
}

// usage is the memory of the collector in one cycle: the mean of the resident memory, and the minimum of
// the live heap, which includes requests in flight.
type usage struct {
	at time.Time
	footprint
}

// cycle runs one cycle of the plan.
func (s *soak) cycle(t *testing.T, p plan) usage {
	t.Helper()
	var seen []footprint
	again := time.NewTicker(time.Second)
	defer again.Stop()
	begin := time.Now()
	for time.Since(begin) < p.accepts+p.refuses {
		now := <-again.C
		s.backend.refuse(now.Sub(begin) >= p.accepts)
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
func slopeOf(kind func(usage) float64, usages []usage) (rise, standardError float64) {
	var samples []sample
	for _, u := range usages {
		samples = append(samples, sample{u.at, kind(u)})
	}
	return slope(samples)
}

func resident(u usage) float64  { return u.resident }
func anonymous(u usage) float64 { return u.anonymous }
func live(u usage) float64      { return u.live }

// checkMemory checks that memory grows by at most a mebibyte in ten minutes, if there are enough cycles.
// Growth of resident memory, with and without mapped files, must be significant to fail the test: the
// runtime returns memory late and in large parts, and the queue's file is compacted only at times, so that
// the mean of a cycle varies by some mebibytes.
func checkMemory(t *testing.T, usages []usage) {
	t.Helper()
	const (
		allowed = 1 << 20 // bytes
		enough  = 7       // cycles, a quarter of an hour
		// doubt is Student's t for 97.5% and enough-2 degrees of freedom.
		doubt = 2.57
	)
	if len(usages) < enough {
		return
	}
	rise, _ := slopeOf(live, usages)
	assert.LessOrEqual(t, rise, float64(allowed), "live heap, bytes in ten minutes")
	for name, kind := range map[string]func(usage) float64{"resident": resident, "resident without files": anonymous} {
		rise, standardError := slopeOf(kind, usages)
		assert.LessOrEqual(t, rise-doubt*standardError, float64(allowed), "%s memory, bytes in ten minutes at least", name)
	}
}

// totals has what the collector has accepted and the backend has received, with nothing in flight.
type totals struct {
	// scraping is how long the targets responded.
	scraping time.Duration
	own      counters
	received received
}

func (t totals) accepted() int64 { return int64(t.own["otelcol_receiver_accepted_metric_points"]) }
func (t totals) sent() int64     { return int64(t.own["otelcol_exporter_sent_metric_points"]) }

// drain blocks all targets and waits until everything that was accepted has arrived.
func (s *soak) drain(t *testing.T) totals {
	t.Helper()
	s.pool.calm.Store(true)
	t.Cleanup(s.pool.block())
	sum := totals{scraping: time.Since(s.pool.began)}
	within(time.Minute, func() bool {
		sum.own, sum.received = s.collector.counters(t), s.backend.totals()
		return sum.accepted() == sum.received.points && sum.sent() == sum.received.points+sum.received.flags
	})
	return sum
}

// await waits until condition returns true, and fails the test after the timeout.
func await(t *testing.T, timeout time.Duration, what string, condition func() bool) {
	t.Helper()
	require.True(t, within(timeout, condition), "not within %v: %s", timeout, what)
}

// within reports whether condition returns true within the timeout.
func within(timeout time.Duration, condition func() bool) bool {
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); <-again.C {
		if condition() {
			return true
		}
	}
	return false
}

// checkNothingIsLost compares what the targets have served, the collector has accepted, and the backend
// has received.
func (s *soak) checkNothingIsLost(t *testing.T, sum totals) {
	t.Helper()
	all, served := s.pool.served()
	due := float64(len(s.pool.targets)) * sum.scraping.Seconds()
	assert.Greater(t, float64(all), due/2, "scrapes, one a second for each target")
	assert.Equal(t, sum.accepted(), sum.received.points, "points accepted and received")
	assert.Equal(t, served, sum.received.scrapes, "scrapes served on the shared server, and received")
	assert.Equal(t, sum.sent(), sum.received.points+sum.received.flags, "points sent and received, with flags")
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

// checkFlags checks that exactly the leaks are flagged, and nothing in the collector.
func (s *soak) checkFlags(t *testing.T) {
	t.Helper()
	places, instances := s.backend.flags()
	for _, target := range s.pool.targets {
		if severity := instances[target.endpoint]; target.behaviour == leaking {
			assert.EqualValues(t, 2, severity, "severity of %s, which leaks", target.endpoint)
		}
	}
	for service, severities := range places {
		for at, severity := range severities {
			if service == string(leaking) && at == leakPlace {
				continue
			}
			if !assert.Less(t, severity, int64(2), "severity of %+v in %s, which is healthy", at, service) && service == self {
				t.Logf("its points:%s", s.backend.historyOf(at))
			}
		}
	}
}

func (s *soak) report(t *testing.T, began time.Time, sum totals, before, after resources, latter []usage) {
	t.Helper()
	served, _ := s.pool.served()
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
	row("duration", "%v", time.Since(began).Round(time.Second))
	row("targets", "%d", len(s.pool.targets))
	row("scrapes served", "%d", served)
	row("points accepted", "%d", sum.accepted())
	row("points received", "%d", sum.received.points)
	row("flags received", "%d", sum.received.flags)
	row("requests accepted, refused", "%d, %d", sum.received.requests, sum.received.refused)
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
