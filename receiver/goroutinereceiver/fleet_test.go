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

// recordedFleet is a fleet that scrapes nothing, and notes what is done to targets.
type recordedFleet struct {
	fleet
	mu       sync.Mutex
	scraped  map[string]int // how many scrape a target now
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
			<-time.After(time.Second) // a scrape that is under way
			f.count(t.name, -1)
		}, f.started.Go),
		active: make(map[string]*member),
		left:   make(map[string]*member),
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

// scrapes returns how many scrape a target now.
func (f *recordedFleet) scrapes(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.scraped[name]
}

func wanted(targets ...targetlist.Target) map[string]targetlist.Target {
	return targetlist.Merge(targetlist.Shard{}, targets)
}

func named(id string, attributes ...string) targetlist.Target {
	t := targetlist.Target{ID: id, Attributes: make(map[string]string)}
	for i := 0; i < len(attributes); i += 2 {
		t.Attributes[attributes[i]] = attributes[i+1]
	}
	return t
}

// inFleet runs a test with a fleet, of which nothing is scraped in the end.
func inFleet(t *testing.T, test func(t *testing.T, f *recordedFleet, reconcile func(...targetlist.Target) changes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := newRecordedFleet()
		f.started.Go(func() { f.schedule.run(ctx) })
		test(t, f, func(targets ...targetlist.Target) changes {
			done, errs := f.reconcile(wanted(targets...))
			if f.refused == "" {
				require.Empty(t, errs)
			}
			synctest.Wait()
			return done
		})
		cancel()
		f.started.Wait()
		assert.Zero(t, f.overlaps, "nothing is scraped twice at once")
		for name, n := range f.scraped {
			assert.Zero(t, n, name)
		}
	})
}

func TestATargetThatStaysIsLeftAlone(t *testing.T) {
	inFleet(t, func(t *testing.T, f *recordedFleet, reconcile func(...targetlist.Target) changes) {
		assert.Equal(t, changes{added: 2}, reconcile(named("a", "team", "shop"), named("b")))
		assert.Equal(t, changes{}, reconcile(named("b"), named("a", "team", "shop")))
		assert.Equal(t, changes{added: 1, removed: 1}, reconcile(named("a", "team", "shop"), named("c")))
		assert.Equal(t, changes{altered: 1}, reconcile(named("a", "team", "other"), named("c")))
		assert.Equal(t, 1, f.created["a"])
		assert.Equal(t, 1, f.changed["a"])
		time.Sleep(firstScrapes)
		assert.Equal(t, 1, f.scrapes("a"))
	})
}

// TestATargetThatComesBack keeps its census for 5 minutes, unless it is another pod.
func TestATargetThatComesBack(t *testing.T) {
	inFleet(t, func(t *testing.T, f *recordedFleet, reconcile func(...targetlist.Target) changes) {
		pod := func(uid string) targetlist.Target { return named("a", "k8s.pod.uid", uid) }
		reconcile(pod("1"))
		time.Sleep(firstScrapes)
		require.Equal(t, 1, f.scrapes("a"))
		reconcile() // the job was emptied
		assert.Empty(t, f.active)
		assert.Len(t, f.left, 1)
		reconcile(pod("1")) // at once: its last scrape has not ended
		time.Sleep(firstScrapes + time.Second)
		assert.Equal(t, 1, f.scrapes("a"))
		reconcile()
		time.Sleep(keptFor)
		reconcile(pod("1"))
		assert.Equal(t, 1, f.created["a"], "it is the same")

		reconcile()
		time.Sleep(keptFor + time.Second)
		reconcile()
		assert.Empty(t, f.left)
		reconcile(pod("1"))
		assert.Equal(t, 2, f.created["a"], "it was away too long")

		assert.Equal(t, changes{added: 1, removed: 1}, reconcile(pod("2")))
		assert.Equal(t, 3, f.created["a"], "it is another pod")
		reconcile()
		reconcile(named("a"))
		assert.Equal(t, 3, f.created["a"], "nothing says that it is another one")
		assert.Equal(t, changes{altered: 1}, reconcile(pod("2")))
	})
}

// TestWhatLeftIsBounded exchanges all targets again and again.
func TestWhatLeftIsBounded(t *testing.T) {
	inFleet(t, func(t *testing.T, f *recordedFleet, reconcile func(...targetlist.Target) changes) {
		for round := range 8 {
			var targets []targetlist.Target
			for i := range 100 {
				targets = append(targets, named(fmt.Sprintf("%d-%d", round, i)))
			}
			reconcile(targets...)
			assert.LessOrEqual(t, len(f.left), 100)
			time.Sleep(30 * time.Second)
		}
		assert.Contains(t, f.left, "6-0", "the latest are kept")
		assert.NotContains(t, f.left, "5-0")
	})
}

func TestATargetThatCannotBeMade(t *testing.T) {
	inFleet(t, func(t *testing.T, f *recordedFleet, reconcile func(...targetlist.Target) changes) {
		f.refused = "b"
		assert.Equal(t, changes{added: 1}, reconcile(named("a"), named("b")))
		f.refused = ""
		assert.Equal(t, changes{added: 1}, reconcile(named("a"), named("b")))
	})
}

// once is a source whose list has targets at the first poll only.
type once struct{ polls int }

func (*once) kind() string { return "file_sd" }

func (o *once) documents(context.Context) iter.Seq2[document, error] {
	return func(yield func(document, error) bool) {
		o.polls++
		text := "[]"
		if o.polls == 1 {
			text = listOf("a:1", "b:1")
		}
		yield(document{name: "list", text: []byte(text), format: targetlist.JSON}, nil)
	}
}

// TestWhatLeftIsForgotten also if the lists do not change any more.
func TestWhatLeftIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		builder, err := metadata.NewTelemetryBuilder(componenttest.NewNopTelemetrySettings())
		require.NoError(t, err)
		f := newRecordedFleet()
		d := discovery{logger: zap.NewNop(), builder: builder, fleet: f.fleet, pool: newPool(), lists: make([]sourceList, 2)}
		d.pollers = []*poller{newPoller(&once{}, defaultPollInterval, nil, d.logger)}
		ctx, cancel := context.WithCancel(t.Context())
		f.started.Go(func() { d.follow(ctx, 0) })
		time.Sleep(defaultPollInterval + time.Second)
		d.mu.Lock()
		assert.Empty(t, d.fleet.active)
		assert.Len(t, d.fleet.left, 2)
		d.mu.Unlock()
		time.Sleep(keptFor + defaultPollInterval)
		d.mu.Lock()
		assert.Empty(t, d.fleet.left)
		d.mu.Unlock()
		cancel()
		f.started.Wait()
	})
}
