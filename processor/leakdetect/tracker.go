package leakdetect

import (
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
)

// tracker converts metrics to readings for the detector, and its verdicts to findings. It is safe
// for concurrent use.
type tracker struct {
	metrics  map[string]watchedMetric
	ignore   ignoreList
	ruleBook *ruleBook
	services bool      // whether services are judged as a whole
	readers  sync.Pool // of *reader

	mu            sync.Mutex
	detector      *detect.Detector
	names         flaggedNames
	mixedServices map[detect.ID]bool // services whose mixed-up processes were logged
	// started is the start time of the detector's clock, which is monotonic.
	started time.Time
	batches uint64 // number of batches with readings since started
}

func newTracker(c *Config) *tracker {
	t := &tracker{
		metrics:  watchedMetrics(c),
		ignore:   c.ignoreList(),
		ruleBook: newRuleBook(c),
		services: c.Services,
		detector: detect.New(detect.Config{
			MinDuration: c.MinDuration,
			MaxStale:    c.MaxStale,
			MaxGroups:   c.MaxStreams,
		}),
		names:         newFlaggedNames(),
		mixedServices: make(map[detect.ID]bool),
		started:       time.Now(),
	}
	t.readers.New = func() any { return &reader{tracker: t, resources: make(map[detect.ID]int)} }
	return t
}

// batch is the result of judging a batch of metrics.
type batch struct {
	findings         []finding
	ended            []endedCounts
	endedWithoutData []endedFlag
	mixedUp          []pcommon.Map      // resources with several processes, one per service
	alreadyFlagged   map[detect.ID]bool // resources, of processes and services, flagged by another leak_detect
	bad              map[detect.Reason]int64
	unwatched        int64 // points
	streams          int   // watched streams after the batch
	saveSoon         bool  // a verdict has changed
}

func (b *batch) refuse(why detect.Reason, points int) {
	if points == 0 {
		return
	}
	if b.bad == nil {
		b.bad = make(map[detect.Reason]int64)
	}
	b.bad[why] += int64(points)
}

// finding is a verdict with the attributes of its group.
type finding struct {
	detect.Verdict
	resourceIndex int         // in the batch; not of findings about services
	service       pcommon.Map // resource attributes of a service
	attributes    pcommon.Map
	metric        string // name of a memory metric
}

// id returns the value of goroutine.leak.id.
func (f finding) id() string { return fmt.Sprintf("%016x", uint64(f.Finding)) }

// endedFlag is a flag that ended without data.
type endedFlag struct {
	detect.Verdict
	groupName
}

// endedCounts counts the flags that have ended in a process.
type endedCounts struct {
	detect.Ended
	resourceIndex int // in the batch
}

// judge judges all watched points of a batch. It does not modify the batch.
func (t *tracker) judge(md pmetric.Metrics) *batch {
	b := &batch{alreadyFlagged: flaggedIn(md)}
	r := t.readers.Get().(*reader)
	defer t.readers.Put(r)
	r.begin(b)
	defer r.end()
	r.read(md)
	t.mu.Lock()
	defer t.mu.Unlock()
	result := t.detector.Observe(t.started.UnixNano()+int64(time.Since(t.started)), r.readings)
	for why, n := range result.Refused {
		b.refuse(why, n)
	}
	b.unwatched = int64(result.Unwatched)
	b.saveSoon = result.Changed
	if len(r.readings) > 0 {
		// Also save after the first batch, so that a collector that is killed repeatedly
		// still makes progress.
		b.saveSoon = b.saveSoon || t.batches == 0
		t.batches++
	}
	b.findings = t.names.resolve(result.Verdicts, r, md)
	b.mixedUp = t.newMixedUp(result.Mixed, r, md)
	for _, e := range result.Ended {
		b.ended = append(b.ended, endedCounts{e, r.resources[e.Process]})
	}
	for _, v := range result.Gone {
		b.endedWithoutData = append(b.endedWithoutData, endedFlag{v, t.names.forget(v.Group)})
	}
	for _, group := range result.Over {
		t.names.forget(group)
	}
	b.streams = t.detector.Groups()
	return b
}

// resourceOf returns what all points of a resource have in common.
func (t *tracker) resourceOf(index int, attributes pcommon.Map) *batchResource {
	o := &batchResource{index: index, id: identify(attributes), rules: t.ruleBook.forResource(attributes)}
	if service, named := serviceOf(attributes); named {
		o.service, o.together = groupOf(identify(service), serviceSalt, 0), t.services
	}
	return o
}

// size returns the number of watched groups.
func (t *tracker) size() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.detector.Groups()
}

// judged returns the number of batches with readings.
func (t *tracker) judged() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.batches
}

// flush judges incomplete observations. Their verdicts leave with the first batch after a restart.
func (t *tracker) flush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.detector.Flush()
}

// encodeState returns the state. It blocks judging only while the state is copied.
func (t *tracker) encodeState() ([]byte, error) {
	t.mu.Lock()
	clone := t.detector.Clone()
	t.mu.Unlock()
	return clone.AppendBinary(nil)
}

// restore restores a state, leaving the tracker unchanged on error.
func (t *tracker) restore(state []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.detector.UnmarshalBinary(state)
}
