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

// source provides lists of targets.
type source interface {
	// kind returns the configuration key of the source.
	kind() string
	// documents yields the lists of the source, one at a time. An error with the name of a list
	// concerns that list only. An error without a name means that the lists are unknown.
	documents(ctx context.Context) iter.Seq2[document, error]
}

// document is an unparsed list.
type document struct {
	name   string // a path, a URL or a job, for logs
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
	lists map[string]*listState
	// failing reports whether the latest poll failed to get the names of the lists.
	failing bool
	// ready reports whether any poll had no failure. Until then retry is the time between the
	// latest polls.
	ready bool
	retry time.Duration
}

// firstRetry is the time from the first to the second poll of a source that is not ready. An
// allocator that starts together with its collectors is ready within seconds.
const firstRetry = time.Second

// listState is the state of a list: its last good version, and whether it fails now.
type listState struct {
	digest   uint64
	targets  []targetlist.Target
	problems int  // as logged
	failing  bool // at the latest poll
}

func newPoller(s source, interval time.Duration, labels map[string]string, logger *zap.Logger) *poller {
	return &poller{
		source:   s,
		interval: interval,
		labels:   labels,
		logger:   logger.With(zap.String("source", s.kind())),
		seed:     maphash.MakeSeed(),
		lists:    make(map[string]*listState),
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
			p.recordSource(err)
			continue
		}
		named[d.name] = true
		updated := false
		if err == nil {
			updated, err = p.update(d)
		}
		if err != nil {
			failures++
		}
		p.recordList(d.name, err)
		changed = changed || updated
	}
	if !complete {
		return failures, changed
	}
	p.recordSource(nil)
	for name, list := range p.lists {
		if !named[name] {
			delete(p.lists, name)
			changed = changed || len(list.targets) > 0
			p.logger.Info("Target list removed", zap.String("list", name), zap.Int("targets", len(list.targets)))
		}
	}
	return failures, changed
}

// nextPoll returns the time from a poll with this number of failures to the next. After the first
// poll without a failure, it is the interval. Until then it is firstRetry, then twice as long each
// time, up to the interval.
func (p *poller) nextPoll(failures int) time.Duration {
	if p.ready = p.ready || failures == 0; p.ready {
		return p.interval
	}
	p.retry = min(max(firstRetry, 2*p.retry), p.interval)
	return p.retry
}

// update parses a list unless its text is unchanged. changed reports whether the text has
// changed.
func (p *poller) update(d document) (changed bool, err error) {
	digest := maphash.Bytes(p.seed, d.text)
	list := p.lists[d.name]
	if list != nil && list.digest == digest {
		return false, nil
	}
	parsed, err := d.format(d.text, p.labels)
	if err != nil {
		return false, err
	}
	if total := p.targetCount() - p.listSize(d.name) + len(parsed.Targets); total > targetlist.MaxTargets {
		return false, fmt.Errorf("%w, together with the other lists of %q", targetlist.ErrTooMany, p.source.kind())
	}
	if list == nil {
		list = &listState{}
		p.lists[d.name] = list
	}
	list.digest, list.targets = digest, parsed.Targets
	if parsed.Problems > 0 && parsed.Problems != list.problems {
		p.logger.Warn("Invalid parts of a target list are ignored", zap.String("list", d.name),
			zap.Int("ignored", parsed.Problems), zap.NamedError("first", parsed.Problem))
	}
	list.problems = parsed.Problems
	return true, nil
}

// recordSource records whether the source as a whole fails, and logs changes.
func (p *poller) recordSource(err error) {
	switch {
	case err != nil && !p.failing:
		p.logger.Warn("Target discovery failed, keeping the last good lists", zap.Int("targets", p.targetCount()), zap.Error(err))
	case err == nil && p.failing:
		p.logger.Info("Target discovery works again")
	}
	p.failing = err != nil
}

// recordList records whether a list fails, and logs changes.
func (p *poller) recordList(name string, err error) {
	list := p.lists[name]
	if list == nil { // there is no good version yet
		list = &listState{}
		p.lists[name] = list
	}
	switch {
	case err != nil && !list.failing:
		p.logger.Warn("Failed to read a target list, keeping the last good one", zap.String("list", name), zap.Int("targets", len(list.targets)), zap.Error(err))
	case err == nil && list.failing:
		p.logger.Info("Target list works again", zap.String("list", name), zap.Int("targets", len(list.targets)))
	}
	list.failing = err != nil
}

// targets returns the targets of all lists, sorted by the names of the lists.
func (p *poller) targets() []targetlist.Target {
	all := make([]targetlist.Target, 0, p.targetCount())
	for _, name := range slices.Sorted(maps.Keys(p.lists)) {
		all = append(all, p.lists[name].targets...)
	}
	return all
}

func (p *poller) targetCount() int {
	total := 0
	for _, list := range p.lists {
		total += len(list.targets)
	}
	return total
}

func (p *poller) listSize(name string) int {
	if list := p.lists[name]; list != nil {
		return len(list.targets)
	}
	return 0
}

// failingLists returns how many lists failed at the latest poll; all if their names are unknown.
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
