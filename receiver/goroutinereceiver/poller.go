package goroutinereceiver

import (
	"context"
	"fmt"
	"hash/maphash"
	"iter"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/targetlist"
)

// source is where lists of targets come from.
type source interface {
	// kind is the key of the configuration.
	kind() string
	// documents yields the lists of the source, one at a time. An error with the name of a list
	// concerns that list only. An error without a name means that the source cannot tell which
	// lists it has.
	documents(ctx context.Context) iter.Seq2[document, error]
}

// document is a list as it comes.
type document struct {
	name   string // a path, a URL, a job: for logs
	text   []byte
	format targetlist.Format
}

// poller polls one source and keeps the last good version of each of its lists. It is not safe
// for concurrent use.
type poller struct {
	source   source
	interval time.Duration
	labels   targetlist.Labels
	logger   *zap.Logger

	seed  maphash.Seed
	lists map[string]*keptList
	// failing reports whether the latest poll could not tell which lists there are.
	failing bool
	// ready reports whether any poll had no failure. Until then retry is the latest time between
	// two polls.
	ready bool
	retry time.Duration
}

// firstRetry is how long after its first poll a source that is not ready is polled again. An
// allocator that starts together with its collectors is ready within seconds.
const firstRetry = time.Second

// keptList is the last good version of a list.
type keptList struct {
	digest   uint64
	targets  []targetlist.Target
	problems int  // that were logged
	failing  bool // at the latest poll
}

func newPoller(s source, interval time.Duration, labels map[string]string, logger *zap.Logger) *poller {
	return &poller{
		source:   s,
		interval: interval,
		labels:   labels,
		logger:   logger.With(zap.String("source", s.kind())),
		seed:     maphash.MakeSeed(),
		lists:    make(map[string]*keptList),
	}
}

// poll polls the source once. It returns how many lists failed, and whether any list changed.
func (p *poller) poll(ctx context.Context) (failures int, changed bool) {
	named := make(map[string]bool)
	complete := true
	for d, err := range p.source.documents(ctx) {
		if ctx.Err() != nil {
			return 0, false // shutting down
		}
		if d.name == "" {
			complete = false
			failures++
			p.noteSource(err)
			continue
		}
		named[d.name] = true
		anew := false
		if err == nil {
			anew, err = p.take(d)
		}
		if err != nil {
			failures++
		}
		p.noteList(d.name, err)
		changed = changed || anew
	}
	if !complete {
		return failures, changed
	}
	p.noteSource(nil)
	for name, list := range p.lists {
		if !named[name] {
			delete(p.lists, name)
			changed = changed || len(list.targets) > 0
			p.logger.Info("A list of targets is gone", zap.String("list", name), zap.Int("targets", len(list.targets)))
		}
	}
	return failures, changed
}

// next returns how long after a poll with so many failures the next one is due. From the first poll
// without a failure on that is the interval. A source that has never been ready is polled again
// sooner: after firstRetry, then after twice as long each time, up to the interval.
func (p *poller) next(failures int) time.Duration {
	if p.ready = p.ready || failures == 0; p.ready {
		return p.interval
	}
	p.retry = min(max(firstRetry, 2*p.retry), p.interval)
	return p.retry
}

// take parses a list unless its text is the same as before, and reports whether it was another.
func (p *poller) take(d document) (changed bool, err error) {
	digest := maphash.Bytes(p.seed, d.text)
	kept := p.lists[d.name]
	if kept != nil && kept.digest == digest {
		return false, nil
	}
	parsed, err := d.format(d.text, p.labels)
	if err != nil {
		return false, err
	}
	if total := p.total() - p.count(d.name) + len(parsed.Targets); total > targetlist.MaxTargets {
		return false, fmt.Errorf("%w, together with the other lists of %q", targetlist.ErrTooMany, p.source.kind())
	}
	if kept == nil {
		kept = &keptList{}
		p.lists[d.name] = kept
	}
	kept.digest, kept.targets = digest, parsed.Targets
	if parsed.Problems > 0 && parsed.Problems != kept.problems {
		p.logger.Warn("Parts of a list of targets are left out", zap.String("list", d.name),
			zap.Int("left_out", parsed.Problems), zap.NamedError("first", parsed.Problem))
	}
	kept.problems = parsed.Problems
	return true, nil
}

// noteSource logs when the source as a whole begins to fail, and when it works again.
func (p *poller) noteSource(err error) {
	switch {
	case err != nil && !p.failing:
		p.logger.Warn("Targets cannot be discovered; those of the last good lists are kept", zap.Int("targets", p.total()), zap.Error(err))
	case err == nil && p.failing:
		p.logger.Info("Targets can be discovered again")
	}
	p.failing = err != nil
}

// noteList logs when a list begins to fail, and when it works again.
func (p *poller) noteList(name string, err error) {
	kept := p.lists[name]
	if kept == nil { // there never was a good one
		kept = &keptList{}
		p.lists[name] = kept
	}
	switch {
	case err != nil && !kept.failing:
		p.logger.Warn("A list of targets cannot be had; the last good one is kept", zap.String("list", name), zap.Int("targets", len(kept.targets)), zap.Error(err))
	case err == nil && kept.failing:
		p.logger.Info("A list of targets can be had again", zap.String("list", name), zap.Int("targets", len(kept.targets)))
	}
	kept.failing = err != nil
}

// targets returns the targets of all lists, sorted by the names of the lists.
func (p *poller) targets() []targetlist.Target {
	all := make([]targetlist.Target, 0, p.total())
	for _, name := range slices.Sorted(maps.Keys(p.lists)) {
		all = append(all, p.lists[name].targets...)
	}
	return all
}

func (p *poller) total() int {
	total := 0
	for _, list := range p.lists {
		total += len(list.targets)
	}
	return total
}

func (p *poller) count(name string) int {
	if list := p.lists[name]; list != nil {
		return len(list.targets)
	}
	return 0
}

// failingLists returns how many lists failed at the latest poll.
func (p *poller) failingLists() int {
	if p.failing {
		return max(1, len(p.lists))
	}
	failing := 0
	for _, list := range p.lists {
		if list.failing {
			failing++
		}
	}
	return failing
}
