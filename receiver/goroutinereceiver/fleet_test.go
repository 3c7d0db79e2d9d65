package goroutinereceiver

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/targetlist"
)

// recordedFleet is a fleet that scrapes nothing and records what is done to its targets.
type recordedFleet struct {
	fleet
	mu       sync.Mutex
	scraped  map[string]int // current scrapes of a target
	created  map[string]int
	changed  map[string]int
	refused  string
	started  sync.WaitGroup
	overlaps int
}

func newRecordedFleet() *recordedFleet {
	f := &recordedFleet{scraped: make(map[string]int), created: make(map[string]int), changed: make(map[string]int)}
	f.fleet = fleet{
		create: func(w targetlist.Target) (*target, error) {
			if w.ID == f.refused {
				return nil, errors.New("refused")
			}
			f.created[w.ID]++
			return &target{name: w.ID}, nil
		},
		change: func(t *target, _ targetlist.Target) { f.changed[t.name]++ },
		schedule: newSchedule(time.Minute, func(ctx context.Context, t *target) {
			f.count(t.name, 1)
			<-ctx.Done()
			<-time.After(time.Second) // the scrape does not end at once
			f.count(t.name, -1)
		}, f.started.Go),
		active: make(map[string]*member),
		parked: make(map[string]*member),
	}
	return f
}

func (f *recordedFleet) count(name string, by int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.scraped[name] += by; f.scraped[name] > 1 {
		f.overlaps++
	}
}

// scrapes returns the number of current scrapes of a target.
func (f *recordedFleet) scrapes(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.scraped[name]
}

func wantedTargets(targets ...targetlist.Target) map[string]targetlist.Target {
	return targetlist.Merge(targetlist.Shard{}, targets)
}

func listedTarget(id string, attributes ...string) targetlist.Target {
	t := targetlist.Target{ID: id, Attributes: make(map[string]string)}
	for i := 0; i < len(attributes); i += 2 {
		t.Attributes[attributes[i]] = attributes[i+1]
	}
	return t
}

// inFleet runs a test with a fleet, and checks that no scrape is left at the end.
func inFleet(t *testing.T, test func(t *testing.T, f *recordedFleet, reconcile func(...targetlist.Target) changes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := newRecordedFleet()
		f.started.Go(func() { f.schedule.run(ctx) })
		test(t, f, func(targets ...targetlist.Target) changes {
			done, errs := f.reconcile(wantedTargets(targets...))
			if f.refused == "" {
				require.Empty(t, errs)
			}
			synctest.Wait()
			return done
		})
		cancel()
		f.started.Wait()
		assert.Zero(t, f.overlaps, "concurrent scrapes of a target")
		for name, n := range f.scraped {
			assert.Zero(t, n, name)
		}
	})
}

func TestUnchangedTargetIsNotTouched(t *testing.T) {
	inFleet(t, func(t *testing.T, f *recordedFleet, reconcile func(...targetlist.Target) changes) {
		assert.Equal(t, changes{added: 2}, reconcile(listedTarget("a", "team", "shop"), listedTarget("b")))
		assert.Equal(t, changes{}, reconcile(listedTarget("b"), listedTarget("a", "team", "shop")))
		assert.Equal(t, changes{added: 1, removed: 1}, reconcile(listedTarget("a", "team", "shop"), listedTarget("c")))
		assert.Equal(t, changes{altered: 1}, reconcile(listedTarget("a", "team", "other"), listedTarget("c")))
		assert.Equal(t, 1, f.created["a"])
		assert.Equal(t, 1, f.changed["a"])
		time.Sleep(firstScrapeSpread)
		assert.Equal(t, 1, f.scrapes("a"))
	})
}

// TestReturningTarget checks that a target that returns within 5 minutes keeps its census, unless
// it is another pod.
func TestReturningTarget(t *testing.T) {
	inFleet(t, func(t *testing.T, f *recordedFleet, reconcile func(...targetlist.Target) changes) {
		pod := func(uid string) targetlist.Target { return listedTarget("a", "k8s.pod.uid", uid) }
		reconcile(pod("1"))
		time.Sleep(firstScrapeSpread)
		require.Equal(t, 1, f.scrapes("a"))
		reconcile() // the job is empty
		assert.Empty(t, f.active)
		assert.Len(t, f.parked, 1)
		reconcile(pod("1")) // before the last scrape has ended
		time.Sleep(firstScrapeSpread + time.Second)
		assert.Equal(t, 1, f.scrapes("a"))
		reconcile()
		time.Sleep(parkFor)
		reconcile(pod("1"))
		assert.Equal(t, 1, f.created["a"], "same target")

		reconcile()
		time.Sleep(parkFor + time.Second)
		reconcile()
		assert.Empty(t, f.parked)
		reconcile(pod("1"))
		assert.Equal(t, 2, f.created["a"], "absent for too long")

		assert.Equal(t, changes{added: 1, removed: 1}, reconcile(pod("2")))
		assert.Equal(t, 3, f.created["a"], "another pod")
		reconcile()
		reconcile(listedTarget("a"))
		assert.Equal(t, 3, f.created["a"], "may be the same pod")
		assert.Equal(t, changes{altered: 1}, reconcile(pod("2")))
	})
}

// TestParkedIsBounded replaces all targets repeatedly.
func TestParkedIsBounded(t *testing.T) {
	inFleet(t, func(t *testing.T, f *recordedFleet, reconcile func(...targetlist.Target) changes) {
		for round := range 8 {
			var targets []targetlist.Target
			for i := range 100 {
				targets = append(targets, listedTarget(fmt.Sprintf("%d-%d", round, i)))
			}
			reconcile(targets...)
			assert.LessOrEqual(t, len(f.parked), 100)
			time.Sleep(30 * time.Second)
		}
		assert.Contains(t, f.parked, "6-0", "the latest are kept")
		assert.NotContains(t, f.parked, "5-0")
	})
}

func TestFailedCreateIsRetried(t *testing.T) {
	inFleet(t, func(t *testing.T, f *recordedFleet, reconcile func(...targetlist.Target) changes) {
		f.refused = "b"
		assert.Equal(t, changes{added: 1}, reconcile(listedTarget("a"), listedTarget("b")))
		f.refused = ""
		assert.Equal(t, changes{added: 1}, reconcile(listedTarget("a"), listedTarget("b")))
	})
}

// oneShotSource is a source whose list has targets at the first poll only.
type oneShotSource struct{ polls int }

func (*oneShotSource) kind() string { return "file_sd" }

func (o *oneShotSource) documents(context.Context) iter.Seq2[document, error] {
	return func(yield func(document, error) bool) {
		o.polls++
		text := "[]"
		if o.polls == 1 {
			text = listOf("a:1", "b:1")
		}
		yield(document{name: "list", text: []byte(text), format: targetlist.JSON}, nil)
	}
}

// TestParkedIsForgotten checks that parked targets are dropped even if the lists do not change.
func TestParkedIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		builder, err := metadata.NewTelemetryBuilder(componenttest.NewNopTelemetrySettings())
		require.NoError(t, err)
		f := newRecordedFleet()
		d := discovery{logger: zap.NewNop(), builder: builder, fleet: f.fleet, pool: newPool(), lists: make([]sourceList, 2)}
		d.pollers = []*poller{newPoller(&oneShotSource{}, defaultPollInterval, nil, d.logger)}
		ctx, cancel := context.WithCancel(t.Context())
		f.started.Go(func() { d.pollSource(ctx, 0) })
		time.Sleep(defaultPollInterval + time.Second)
		d.mu.Lock()
		assert.Empty(t, d.fleet.active)
		assert.Len(t, d.fleet.parked, 2)
		d.mu.Unlock()
		time.Sleep(parkFor + defaultPollInterval)
		d.mu.Lock()
		assert.Empty(t, d.fleet.parked)
		d.mu.Unlock()
		cancel()
		f.started.Wait()
	})
}
