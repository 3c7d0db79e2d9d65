package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/page"
)

// Options are what is replayed.
type Options struct {
	Since      time.Duration
	Match      []string // label matchers, such as job="shop"
	Thresholds judge.Thresholds
	Ignore     func(judge.Sample) bool
	Page       *page.Aggregator // nil if there is none
	// Progress is told how far the replay has come.
	Progress func(at time.Time)
}

// Result is what would have been flagged.
type Result struct {
	From, To   time.Time
	Changes    []finding.Change
	Findings   []finding.Finding
	Series     int
	Samples    int
	Processes  int
	Thresholds judge.Thresholds
	// Skew is by how much the clock of the server is ahead of this one.
	Skew time.Duration
	// PlainOnly tells that there are only numbers of goroutines, without groups.
	PlainOnly bool
}

// ErrNoData means that there is nothing to be judged.
var ErrNoData = errors.New("no data")

// The windows in which samples are asked for: at first the largest of which a series that is
// scraped every 15 s has 1,440 samples.
const (
	largestWindow  = 6 * time.Hour
	smallestWindow = time.Minute
)

// Run replays the past through the detector.
func Run(ctx context.Context, p *Prometheus, o Options) (*Result, error) {
	asked := time.Now()
	clock, err := p.Clock(ctx)
	if err != nil {
		return nil, err
	}
	r := &replayer{
		options: o, judge: judge.New(o.Thresholds, o.Ignore, o.Page), latest: make(map[string]time.Time),
		starts: make(map[judge.Process]time.Time), processes: make(map[judge.Process]bool), names: make(map[string]bool),
	}
	// The samples have the server's time.
	r.result = Result{From: clock.Add(-o.Since), To: clock, Thresholds: o.Thresholds, Skew: clock.Sub(asked).Round(time.Second)}
	selector := r.selector()
	window := min(largestWindow, o.Since)
	for at := r.result.From; at.Before(clock); {
		end := at.Add(window)
		if end.After(clock) {
			end = clock
		}
		series, err := p.Range(ctx, selector, end, end.Sub(at))
		switch {
		case errors.Is(err, errTooMuch) && window > smallestWindow:
			window = max(window/2, smallestWindow)
			continue
		case err != nil:
			return nil, err
		}
		r.take(series)
		at = end
		o.Progress(at)
	}
	if r.result.Samples == 0 {
		return nil, fmt.Errorf("%w: it has no %s and none of the metrics of otel-goroutine in the last %s; does --match select a service?",
			ErrNoData, plainCount, judge.Span(o.Since))
	}
	r.result.Findings = r.judge.Findings()
	r.result.Series, r.result.Processes = len(r.latest), len(r.processes)
	r.result.PlainOnly = !slices.ContainsFunc(slices.Collect(maps.Keys(r.names)), func(name string) bool { return strings.HasPrefix(name, "goroutine_") })
	return &r.result, nil
}

// replayer is a replay under way.
type replayer struct {
	options   Options
	judge     *judge.Judge
	latest    map[string]time.Time // of each series
	starts    map[judge.Process]time.Time
	processes map[judge.Process]bool
	names     map[string]bool
	result    Result
}

// selector selects all metrics that are judged.
func (r *replayer) selector() string {
	names := slices.Sorted(maps.Keys(metrics))
	matchers := append([]string{fmt.Sprintf("__name__=~%q", strings.Join(append(names, startTime), "|"))}, r.options.Match...)
	return "{" + strings.Join(matchers, ",") + "}"
}

// batch is how much of the past is judged at once: the detector sorts out what came late.
const batch = time.Minute

// take judges the samples of a window, in the order of time.
func (r *replayer) take(series []Series) {
	var starts []judge.Sample
	var samples []judge.Sample
	for _, s := range series {
		fresh := r.fresh(s)
		if s.Labels["__name__"] == startTime {
			for _, sample := range fresh {
				starts = append(starts, judge.Sample{Process: processOf(s.Labels), At: sample.At, Value: sample.Value})
			}
			continue
		}
		of, known := sampleOf(s.Labels)
		if !known {
			continue
		}
		r.names[s.Labels["__name__"]], r.processes[of.Process] = true, true
		for _, sample := range fresh {
			if validValue(sample.Value) {
				of.At, of.Value = sample.At, sample.Value
				samples = append(samples, of)
			}
		}
	}
	byTime := func(a, b judge.Sample) int { return a.At.Compare(b.At) }
	slices.SortStableFunc(starts, byTime)
	slices.SortStableFunc(samples, byTime)
	r.result.Samples += len(samples)
	for len(samples) > 0 {
		end := samples[0].At.Truncate(batch).Add(batch)
		n, _ := slices.BinarySearchFunc(samples, end, func(s judge.Sample, at time.Time) int { return s.At.Compare(at) })
		for i := range samples[:n] {
			starts = r.learnStarts(starts, samples[i].At)
			samples[i].Start = r.starts[samples[i].Process]
		}
		r.result.Changes = append(r.result.Changes, r.judge.Observe(end, samples[:n])...)
		samples = samples[n:]
	}
}

// learnStarts notes when processes began, as far as it is known at a time.
func (r *replayer) learnStarts(starts []judge.Sample, at time.Time) (later []judge.Sample) {
	for len(starts) > 0 && !starts[0].At.After(at) {
		if began := starts[0].Value; began > 0 && began < maxSeconds {
			r.starts[starts[0].Process] = time.UnixMilli(int64(began * 1000))
		}
		starts = starts[1:]
	}
	return starts
}

// fresh returns the samples of a series that were not in the window before, which may share
// its end.
func (r *replayer) fresh(s Series) []Sample {
	var key strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
		key.WriteString(name + "\x00" + s.Labels[name] + "\x00")
	}
	last := r.latest[key.String()]
	all := s.Samples
	for len(all) > 0 && !all[0].At.After(last) {
		all = all[1:]
	}
	if len(all) > 0 {
		r.latest[key.String()] = all[len(all)-1].At
	} else if _, known := r.latest[key.String()]; !known {
		r.latest[key.String()] = last
	}
	return all
}

// Ordered returns the changes in the order of time.
func (r *Result) Ordered() []finding.Change {
	ordered := slices.Clone(r.Changes)
	slices.SortStableFunc(ordered, func(a, b finding.Change) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Finding.ID, b.Finding.ID))
	})
	return ordered
}
