package meter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
)

// scraper is a fake receiver. It emits the metrics of each target once in each interval, evenly spread, and of
// other targets after the list was replaced.
type scraper struct {
	plan Plan
	next consumer.Metrics
	// misses reports whether a scrape of a target is omitted, fails whether it fails.
	misses, fails func(target, round int) bool

	cancel  context.CancelFunc
	running sync.WaitGroup
	errs    error
}

func (s *scraper) Start(_ context.Context, _ component.Host) error {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.running.Go(func() { s.run(ctx) })
	return nil
}

func (s *scraper) Shutdown(context.Context) error {
	s.cancel()
	s.running.Wait()
	return s.errs
}

func (s *scraper) run(ctx context.Context) {
	tick := time.NewTicker(s.plan.Interval / time.Duration(s.plan.Targets))
	defer tick.Stop()
	for round := 0; ; round++ {
		first := 0
		if _, err := os.Stat(s.plan.Exchanged); s.plan.Exchanged != "" && errors.Is(err, os.ErrNotExist) {
			first = s.plan.New
		}
		for i := range s.plan.Targets {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if target := first + i; !s.misses(target, round) {
				s.errs = errors.Join(s.errs, s.next.ConsumeMetrics(ctx, scrape(target, !s.fails(target, round))))
			}
		}
	}
}

// scrape returns the metrics of a scrape.
func scrape(target int, up bool) pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	r := metrics.ResourceMetrics().AppendEmpty()
	r.Resource().Attributes().PutStr("service.instance.id", strconv.Itoa(target))
	m := r.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("up")
	p := m.SetEmptyGauge().DataPoints().AppendEmpty()
	if up {
		p.SetDoubleValue(1)
	}
	return metrics
}

// metered measures a scraper in fake time.
func metered(t *testing.T, plan Plan, change func(*scraper)) (f Figures, err error) {
	t.Helper()
	never := func(int, int) bool { return false }
	synctest.Test(t, func(t *testing.T) {
		if plan.New > 0 {
			plan.List, plan.Exchanged = filepath.Join(t.TempDir(), "list"), filepath.Join(t.TempDir(), "exchanged")
			require.NoError(t, os.WriteFile(plan.Exchanged, nil, 0o600))
		}
		factory := receiver.NewFactory(component.MustNewType("scraper"), func() component.Config { return &plan },
			receiver.WithMetrics(func(_ context.Context, _ receiver.Settings, _ component.Config, next consumer.Metrics) (receiver.Metrics, error) {
				s := &scraper{plan: plan, next: next, misses: never, fails: never}
				change(s)
				return s, nil
			}, component.StabilityLevelDevelopment))
		text, failed := json.Marshal(plan)
		require.NoError(t, failed)
		var out bytes.Buffer
		if err = Main(bytes.NewReader(text), &out, "", factory, func(p Plan) (component.Config, error) { return &p, nil }); err == nil {
			require.NoError(t, json.Unmarshal(out.Bytes(), &f))
		}
	})
	return f, err
}

func testPlan() Plan { return Plan{Targets: 120, Interval: time.Minute, Intervals: 2, New: 30} }

func TestAllScrapesSucceed(t *testing.T) {
	f, err := metered(t, testPlan(), func(*scraper) {})
	require.NoError(t, err)
	assert.Equal(t, 120, f.Targets)
	assert.InDelta(t, 240, f.Scrapes, 1)
	assert.InDelta(t, 1, f.InTime, 0.01)
	assert.InDelta(t, 1, f.Peak, 0.51, "two a second")
	assert.Positive(t, f.Memory)
	assert.InDelta(t, float64(f.Memory)/120, f.PerTarget(), 1)
	assert.Equal(t, 30, f.Exchange.New)
	assert.LessOrEqual(t, f.Exchange.InEffect, 120.)
	assert.Zero(t, f.Exchange.Lost)
}

// TestMissedScrapesAreCounted omits some scrapes and lets others fail, after all targets have been scraped.
func TestMissedScrapesAreCounted(t *testing.T) {
	f, err := metered(t, testPlan(), func(s *scraper) {
		s.misses = func(target, round int) bool { return target >= 40 && target < 52 && round == 2 }
		s.fails = func(target, round int) bool { return target >= 60 && target < 72 && round == 2 }
	})
	require.NoError(t, err)
	assert.InDelta(t, 0.9, f.InTime, 0.01)
	assert.Zero(t, f.Exchange.Lost)
}

// TestScrapesLostInExchangeAreCounted omits one scrape of some remaining targets, and all of another.
func TestScrapesLostInExchangeAreCounted(t *testing.T) {
	f, err := metered(t, testPlan(), func(s *scraper) {
		s.misses = func(target, round int) bool {
			return target >= 40 && target < 45 && round == 4 || target == 50 && round >= 4
		}
	})
	require.NoError(t, err)
	assert.Equal(t, 6, f.Exchange.Lost)
	assert.InDelta(t, 1, f.InTime, 0.01)
}

func TestTargetThatIsNeverScraped(t *testing.T) {
	_, err := metered(t, testPlan(), func(s *scraper) {
		s.fails = func(target, _ int) bool { return target == 7 }
	})
	require.ErrorContains(t, err, "119 of 120 targets")
}

func TestPerScrape(t *testing.T) {
	f := Figures{Cores: 0.5, Scrapes: 600}
	assert.InDelta(t, 0.05, f.PerScrape(Plan{Interval: time.Minute, Intervals: 1}), 1e-9)
}

func TestErrors(t *testing.T) {
	refuse := func(Plan) (component.Config, error) { return nil, errors.New("no such capture") }
	require.Error(t, Main(bytes.NewReader([]byte("{")), nil, "", nil, refuse))
	require.ErrorContains(t, Main(bytes.NewReader([]byte("{}")), nil, "", nil, refuse), "no such capture")
}
