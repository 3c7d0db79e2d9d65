package goroutinereceiver

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/targetlist"
)

// keptFor is for how long the census of a target outlives its place in the lists. An allocator
// that restarts assigns nothing for a while, and a pod that is not ready leaves the records of
// its service: the process stays, and with it what is known of its goroutines.
const keptFor = 5 * time.Minute

// fleet is the set of targets of a receiver, which changes with the lists. It is not safe for
// concurrent use.
type fleet struct {
	// create creates a target. On error the target is left out until the next reconciliation.
	create func(targetlist.Target) (*target, error)
	// change updates a target to what the lists say of it.
	change func(*target, targetlist.Target)
	// scrape scrapes a target until ctx ends, for the first time within soon.
	scrape func(ctx context.Context, t *target, soon time.Duration)
	// start runs a function in a goroutine that Shutdown joins.
	start func(func())
	// soon returns within which time so many new targets are scraped for the first time.
	soon func(added int) time.Duration

	active map[string]*member
	// left has the members that no list has any more, at most as many as were ever active at
	// once.
	left map[string]*member
	most int
}

// member is a target of a fleet.
type member struct {
	target *target
	listed targetlist.Target
	stop   context.CancelFunc
	ended  chan struct{} // closed when its scrapes have ended
	leftAt time.Time
}

// changes is what a reconciliation has changed.
type changes struct{ added, removed, altered int }

func (c changes) any() bool { return c != changes{} }

// reconcile starts to scrape the targets that are new, and ends the scrapes of those that are not
// wanted any more. A target that stays keeps its place in the interval and its census, whatever
// the lists say of it. errs has an error for each target that could not be created.
func (f *fleet) reconcile(ctx context.Context, wanted map[string]targetlist.Target) (done changes, errs []error) {
	for id, m := range f.active {
		if w, stays := wanted[id]; !stays || !w.SameProcess(m.listed) {
			f.park(id, m)
			done.removed++
		}
	}
	f.forget(time.Now())
	var added []*member
	for id, w := range wanted {
		m, known := f.active[id]
		if known {
			if !m.listed.Equal(w) {
				f.change(m.target, w)
				m.listed = w
				done.altered++
			}
			continue
		}
		m, err := f.admit(w)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		f.active[id] = m
		added = append(added, m)
	}
	done.added = len(added)
	f.most = max(f.most, len(f.active))
	for _, m := range added {
		f.begin(ctx, m, f.soon(len(added)))
	}
	return done, errs
}

// park ends the scrapes of a member and moves it to left.
func (f *fleet) park(id string, m *member) {
	m.stop()
	m.leftAt = time.Now()
	delete(f.active, id)
	f.left[id] = m
}

// forget drops members that left more than keptFor ago, and the earliest of those that are too
// many.
func (f *fleet) forget(now time.Time) {
	maps.DeleteFunc(f.left, func(_ string, m *member) bool { return now.Sub(m.leftAt) > keptFor })
	if len(f.left) <= f.most {
		return
	}
	ids := slices.SortedFunc(maps.Keys(f.left), func(a, b string) int { return f.left[a].leftAt.Compare(f.left[b].leftAt) })
	for _, id := range ids[:len(ids)-f.most] {
		delete(f.left, id)
	}
}

// admit returns the former member of a target that comes back, or else a new one.
func (f *fleet) admit(w targetlist.Target) (*member, error) {
	var ended chan struct{} // of the process that had the address before
	if m, known := f.left[w.ID]; known {
		delete(f.left, w.ID)
		if m.listed.SameProcess(w) {
			f.change(m.target, w)
			m.listed = w
			return m, nil
		}
		ended = m.ended
	}
	t, err := f.create(w)
	if err != nil {
		return nil, err
	}
	return &member{target: t, listed: w, ended: ended}, nil
}

// begin starts the scrapes of a member once its former ones have ended.
func (f *fleet) begin(ctx context.Context, m *member, soon time.Duration) {
	ctx, stop := context.WithCancel(ctx)
	former, ended := m.ended, make(chan struct{})
	m.stop, m.ended = stop, ended
	f.start(func() {
		defer close(ended)
		defer stop()
		if former != nil {
			<-former
		}
		f.scrape(ctx, m.target, soon)
	})
}
