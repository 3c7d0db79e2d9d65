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

// Options configure a replay.
type Options struct {
	Since      time.Duration
	Match      []string // label matchers, such as job="shop"
	Thresholds judge.Thresholds
	Ignore     func(judge.Sample) bool
	Page       *page.Aggregator // receives the data of a page if not nil
	// Progress is called with the end of each window.
	Progress func(at time.Time)
}

// Result is the result of a replay.
type Result struct {
	From, To   time.Time
	Changes    []finding.Change
	Findings   []finding.Finding
	Series     int
	Samples    int
	Processes  int
	Thresholds judge.Thresholds
	// Skew is how far the server's clock is ahead of the local one.
	Skew time.Duration
	// PlainOnly means that the data has only goroutine counts, without groups.
	PlainOnly bool
}

// ErrNoData means that no samples were found.
var ErrNoData = errors.New("no data")

// Windows of the queries. In the largest one, a series that is scraped every 15 s has 1,440 samples.
const (
	largestWindow  = 6 * time.Hour
	smallestWindow = time.Minute
)

// Run applies the detector to the samples of the last Options.Since.
func Run(ctx context.Context, p *Prometheus, o Options) (*Result, error) {
	requestedAt := time.Now()
	clock, err := p.Clock(ctx)
	if err != nil {
		return nil, err
	}
	r := &replayer{
		options: o, judge: judge.New(o.Thresholds, o.Ignore, o.Page), latest: make(map[string]time.Time),
		starts: make(map[judge.Process]time.Time), processes: make(map[judge.Process]bool), names: make(map[string]bool),
	}
	r.result = Result{From: clock.Add(-o.Since), To: clock, Thresholds: o.Thresholds, Skew: clock.Sub(requestedAt).Round(time.Second)}
	selector := r.selector()
	window := min(largestWindow, o.Since)
	for at := r.result.From; at.Before(clock); {
		end := at.Add(window)
		if end.After(clock) {
			end = clock
		}
		series, err := p.Range(ctx, selector, end, end.Sub(at))
		switch {
		case errors.Is(err, errTooManySamples) && window > smallestWindow:
			window = max(window/2, smallestWindow)
			continue
		case err != nil:
			return nil, err
		}
		r.observe(series)
		at = end
		o.Progress(at)
	}
	if r.result.Samples == 0 {
		return nil, fmt.Errorf("%w: neither %s nor metrics of otel-goroutine in the last %s; check --match and --since",
			ErrNoData, plainCount, judge.FormatDuration(o.Since))
	}
	r.result.Findings = r.judge.Findings()
	r.result.Series, r.result.Processes = len(r.latest), len(r.processes)
	r.result.PlainOnly = !slices.ContainsFunc(slices.Collect(maps.Keys(r.names)), func(name string) bool { return strings.HasPrefix(name, "goroutine_") })
	return &r.result, nil
}

// replayer is the state of a replay.
type replayer struct {
	options   Options
	judge     *judge.Judge
	latest    map[string]time.Time // latest sample of each series
	starts    map[judge.Process]time.Time
	processes map[judge.Process]bool
	names     map[string]bool
	result    Result
}

// selector selects all series that are judged.
func (r *replayer) selector() string {
	names := slices.Sorted(maps.Keys(judgedMetrics))
	matchers := append([]string{fmt.Sprintf("__name__=~%q", strings.Join(append(names, startTime), "|"))}, r.options.Match...)
	return "{" + strings.Join(matchers, ",") + "}"
}

// batch is the time between two calls of the judge.
const batch = time.Minute

// observe judges the samples of a window in the order of time.
func (r *replayer) observe(series []Series) {
	var starts []judge.Sample
	var samples []judge.Sample
	for _, s := range series {
		added := r.added(s)
		if s.Labels["__name__"] == startTime {
			for _, sample := range added {
				starts = append(starts, judge.Sample{Process: processOf(s.Labels), At: sample.At, Value: sample.Value})
			}
			continue
		}
		judged, known := sampleOf(s.Labels)
		if !known {
			continue
		}
		r.names[s.Labels["__name__"]], r.processes[judged.Process] = true, true
		for _, sample := range added {
			if isValid(sample.Value) {
				judged.At, judged.Value = sample.At, sample.Value
				samples = append(samples, judged)
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
			starts = r.applyStarts(starts, samples[i].At)
			samples[i].Start = r.starts[samples[i].Process]
		}
		r.result.Changes = append(r.result.Changes, r.judge.Observe(end, samples[:n])...)
		samples = samples[n:]
	}
}

// applyStarts applies the start times known at a time, and returns the later ones.
func (r *replayer) applyStarts(starts []judge.Sample, at time.Time) (later []judge.Sample) {
	for len(starts) > 0 && !starts[0].At.After(at) {
		if start := starts[0].Value; start > 0 && start < maxTimestamp {
			r.starts[starts[0].Process] = time.UnixMilli(int64(start * 1000))
		}
		starts = starts[1:]
	}
	return starts
}

// added returns the samples of a series that are not in the previous window. Windows overlap at
// their ends.
func (r *replayer) added(s Series) []Sample {
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

// Ordered returns the changes ordered by time.
func (r *Result) Ordered() []finding.Change {
	ordered := slices.Clone(r.Changes)
	slices.SortStableFunc(ordered, func(a, b finding.Change) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Finding.ID, b.Finding.ID))
	})
	return ordered
}
