package leakdetect

import (
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
)

// watch is all that is remembered. It may be used concurrently, and starts no
// goroutine. What it judges has the data's own time. What it forgets is what has not
// come for long: for that alone it looks at a clock, which no sender can turn.
type watch struct {
	metrics     map[string]watched
	minDuration int64 // ns
	maxStale    int64 // ns
	maxStreams  int

	mu        sync.Mutex
	streams   map[id]*stream
	resources map[id]*resource
	// clock is when the batch came that is judged, Unix ns. It goes on evenly
	// from when the watch began, whatever is done to the system's clock.
	clock     int64
	began     time.Time
	nextSweep int64
	crowded   bool   // a stream was turned away since the last sweep
	batches   uint64 // that had anything to be judged; not kept over a restart
}

func newWatch(c *Config) *watch {
	return &watch{
		metrics:     watchedMetrics(c),
		minDuration: int64(c.MinDuration),
		maxStale:    int64(c.MaxStale),
		maxStreams:  c.MaxStreams,
		streams:     make(map[id]*stream),
		resources:   make(map[id]*resource),
		began:       time.Now(),
	}
}

// judge judges all watched points of a batch, and changes nothing in it.
func (w *watch) judge(md pmetric.Metrics) *batch {
	b := &batch{}
	items := w.pick(md, b)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.began.UnixNano() + int64(time.Since(w.began))
	for _, it := range items {
		w.judgeMetric(b, it)
	}
	if len(items) > 0 {
		// The first is kept too, so that a collector that is killed again and
		// again comes on.
		b.due = b.due || w.batches == 0
		w.batches++
	}
	w.sweep()
	b.streams = len(w.streams)
	return b
}

// resource returns what is known of a resource, or nil if it is new and there are
// too many already.
func (w *watch) resource(name id) *resource {
	r, ok := w.resources[name]
	if !ok && w.room(len(w.resources)) {
		r = &resource{}
		w.resources[name] = r
	}
	return r
}

// stream returns what is known of a stream, or nil if it is new and there are too
// many already.
func (w *watch) stream(name id) *stream {
	s, ok := w.streams[name]
	if !ok {
		if !w.room(len(w.streams)) {
			return nil
		}
		s = &stream{}
		w.streams[name] = s
	}
	s.seen = inSeconds(w.clock)
	return s
}

// room tells whether there is room for one more, and remembers if there is none.
func (w *watch) room(taken int) bool {
	w.crowded = w.crowded || taken >= w.maxStreams
	return taken < w.maxStreams
}

// admit tells whether the time stamp of a point of r is believed.
func (w *watch) admit(r *resource, at int64) bool {
	if !r.admit(at, w.minDuration, w.maxStale) {
		return false
	}
	r.seen = w.clock
	return true
}

// sweeps is how often within maxStale stale streams are looked for. All are
// looked at together, so the cost is that of a few points a stream and day. It is
// also how much sooner streams are forgotten while others are turned away: at the
// default after an hour without data, longer than a restart or a lost batch.
const sweeps = 24

// sweep forgets what is stale, when it is time to.
func (w *watch) sweep() {
	if w.clock < w.nextSweep {
		return
	}
	w.nextSweep = w.clock + w.maxStale/sweeps
	idle := w.maxStale
	if w.crowded {
		idle /= sweeps
	}
	w.crowded = false
	for name, s := range w.streams {
		if w.clock-s.seen.ns() > idle {
			delete(w.streams, name)
		}
	}
	for name, r := range w.resources {
		if w.clock-r.seen > idle {
			delete(w.resources, name)
			continue
		}
		r.forgetEntries(w.minDuration)
		r.forgetProofs()
	}
}

// size returns how many streams are watched.
func (w *watch) size() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.streams)
}

// judged returns how many batches had anything to be judged.
func (w *watch) judged() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.batches
}
