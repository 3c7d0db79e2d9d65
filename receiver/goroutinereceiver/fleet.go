package goroutinereceiver

import (
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
	change   func(*target, targetlist.Target)
	schedule *schedule

	active map[string]*member
	// left has the members that no list has any more, at most as many as were ever active at
	// once.
	left map[string]*member
	most int
}

// member is a target of a fleet.
type member struct {
	round
	listed targetlist.Target
	former *round // of the process that had the address before
	leftAt time.Time
}

// changes is what a reconciliation has changed.
type changes struct{ added, removed, altered int }

func (c changes) any() bool { return c != changes{} }

// reconcile starts to scrape the targets that are new, and ends the scrapes of those that are not
// wanted any more. A target that stays keeps its place in the interval and its census, whatever
// the lists say of it. errs has an error for each target that could not be created.
func (f *fleet) reconcile(wanted map[string]targetlist.Target) (done changes, errs []error) {
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
	soon := firstWithin(f.schedule.interval, len(added), len(f.active))
	for _, m := range added {
		f.schedule.add(&m.round, m.former, soon)
		m.former = nil
	}
	return done, errs
}

// park ends the scrapes of a member and moves it to left.
func (f *fleet) park(id string, m *member) {
	f.schedule.remove(&m.round)
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
	var former *round
	if m, known := f.left[w.ID]; known {
		delete(f.left, w.ID)
		if m.listed.SameProcess(w) {
			f.change(m.target, w)
			m.listed = w
			return m, nil
		}
		former = &m.round
	}
	t, err := f.create(w)
	if err != nil {
		return nil, err
	}
	return &member{round: round{target: t}, listed: w, former: former}, nil
}

// The first scrapes of new targets are spread over a few seconds, so that somebody who has just
// configured one sees it. Where there are many, 50 of them a second or as many as are scraped
// anyway: a tenth of a fleet that is exchanged does not double its load for long, and all of a
// fleet that starts has no more load than later.
const (
	firstScrapes  = 4 * time.Second
	betweenFirsts = 20 * time.Millisecond
)

// firstWithin returns within which time new targets are scraped for the first time, of so many
// in all.
func firstWithin(interval time.Duration, added, targets int) time.Duration {
	share := time.Duration(float64(interval) * float64(added) / float64(max(targets, 1)))
	return min(interval, max(firstScrapes, min(time.Duration(added)*betweenFirsts, share)))
}
