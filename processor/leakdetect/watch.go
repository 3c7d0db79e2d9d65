package leakdetect

import (
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
)

// watch is the detector, and what is needed to ask it about data of the collector. It may
// be used concurrently, and starts no goroutine.
type watch struct {
	metrics  map[string]watched
	ignore   ignoreList
	rules    *ruleBook
	services bool      // are judged as a whole
	readers  sync.Pool // whose memory serves batch after batch

	mu       sync.Mutex
	detector *detect.Detector
	names    names
	mixed    map[detect.ID]bool // services of which it was told that processes are mixed up
	// began is when the watch began. The detector's clock goes on evenly from then,
	// whatever is done to the system's.
	began   time.Time
	batches uint64 // that had anything to be judged; not kept over a restart
}

func newWatch(c *Config) *watch {
	w := &watch{
		metrics:  watchedMetrics(c),
		ignore:   c.ignoreList(),
		rules:    newRuleBook(c),
		services: c.Services,
		detector: detect.New(detect.Config{
			MinDuration: c.MinDuration,
			MaxStale:    c.MaxStale,
			MaxGroups:   c.MaxStreams,
		}),
		names: newNames(),
		mixed: make(map[detect.ID]bool),
		began: time.Now(),
	}
	w.readers.New = func() any { return &reader{watch: w, origins: make(map[detect.ID]int)} }
	return w
}

// batch is what came of judging one batch of data.
type batch struct {
	findings  []finding
	endings   []ending
	gone      []ended            // flags that ended because nothing came any more
	mixed     []pcommon.Map      // resources under which several processes send, a service each
	taken     map[detect.ID]bool // resources, of processes and services, in which leaks are flagged already
	bad       map[detect.Reason]int64
	unwatched int64 // points
	streams   int   // watched afterwards
	due       bool  // what is remembered is to be kept soon
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

// finding is a verdict that is to be written, and whom it is about.
type finding struct {
	detect.Verdict
	origin     int         // index of the resource in the batch; of an instance, if it is about a service
	service    pcommon.Map // the attributes of that
	attributes pcommon.Map
	metric     string // of memory
}

// id returns the identity of the leak, as it is written.
func (f finding) id() string { return fmt.Sprintf("%016x", uint64(f.Finding)) }

// ended is a flag that ended without data.
type ended struct {
	detect.Verdict
	name
}

// ending is how many flags have ended in a process.
type ending struct {
	detect.Ended
	origin int // index of the resource in the batch
}

// judge judges all watched points of a batch, and changes nothing in it.
func (w *watch) judge(md pmetric.Metrics) *batch {
	b := &batch{taken: flaggedIn(md)}
	r := w.readers.Get().(*reader)
	defer w.readers.Put(r)
	r.begin(b)
	defer r.end()
	r.read(md)
	w.mu.Lock()
	defer w.mu.Unlock()
	result := w.detector.Observe(w.began.UnixNano()+int64(time.Since(w.began)), r.readings)
	for why, n := range result.Refused {
		b.refuse(why, n)
	}
	b.unwatched = int64(result.Unwatched)
	b.due = result.Changed
	if len(r.readings) > 0 {
		// The first is kept too, so that a collector that is killed again and
		// again comes on.
		b.due = b.due || w.batches == 0
		w.batches++
	}
	b.findings = w.names.resolve(result.Verdicts, r, md)
	b.mixed = w.mixedIn(result.Mixed, r, md)
	for _, e := range result.Ended {
		b.endings = append(b.endings, ending{e, r.origins[e.Process]})
	}
	for _, v := range result.Gone {
		b.gone = append(b.gone, ended{v, w.names.drop(v.Group)})
	}
	for _, group := range result.Over {
		w.names.drop(group)
	}
	b.streams = w.detector.Groups()
	return b
}

// originOf returns what is the same of all points of a resource.
func (w *watch) originOf(index int, attributes pcommon.Map) *origin {
	o := &origin{index: index, id: identify(attributes), rules: w.rules.of(attributes)}
	if service, named := serviceOf(attributes); named {
		o.service, o.together = groupOf(identify(service), serviceSalt, 0), w.services
	}
	return o
}

// size returns how many groups are watched.
func (w *watch) size() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.detector.Groups()
}

// judged returns how many batches had anything to be judged.
func (w *watch) judged() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.batches
}

// flush has the detector judge what waits for more. What is shown of that is told by the
// next batch after a restart.
func (w *watch) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.detector.Flush()
}

// encodeState returns what is remembered. Judging waits only while it is copied.
func (w *watch) encodeState() ([]byte, error) {
	w.mu.Lock()
	kept := w.detector.Clone()
	w.mu.Unlock()
	return kept.AppendBinary(nil)
}

// restore has the watch remember what a state says. If that is of no use it changes
// nothing.
func (w *watch) restore(state []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.detector.UnmarshalBinary(state)
}
