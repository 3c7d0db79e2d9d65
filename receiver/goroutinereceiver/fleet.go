package goroutinereceiver

import (
	"maps"
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/targetlist"
)

// parkFor is how long a target is kept after it has disappeared from all lists. A restarting
// allocator assigns nothing for a while, and a pod that is not ready disappears from the records
// of its service: the process is the same, so its census must continue.
const parkFor = 5 * time.Minute

// fleet is the set of targets of a receiver. It is not safe for concurrent use.
type fleet struct {
	// create creates a target. On error the target is left out until the next reconciliation.
	create func(targetlist.Target) (*target, error)
	// change updates a target with its new listing.
	change   func(*target, targetlist.Target)
	schedule *schedule

	active map[string]*member
	// parked are the members that have disappeared from all lists, at most maxActive.
	parked    map[string]*member
	maxActive int
}

// member is a target of a fleet.
type member struct {
	scheduleItem
	listed      targetlist.Target
	predecessor *scheduleItem // the process that had the address before
	parkedAt    time.Time
}

// changes counts the changes of a reconciliation.
type changes struct{ added, removed, altered int }

func (c changes) any() bool { return c != changes{} }

// reconcile starts scraping new targets and stops scraping removed ones. A remaining target keeps
// its place in the interval and its census, even if its listing has changed. errs has an error for
// each target that could not be created.
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
	f.maxActive = max(f.maxActive, len(f.active))
	soon := firstScrapeWindow(f.schedule.interval, len(added), len(f.active))
	for _, m := range added {
		f.schedule.add(&m.scheduleItem, m.predecessor, soon)
		m.predecessor = nil
	}
	return done, errs
}

// park stops scraping a member and moves it to parked.
func (f *fleet) park(id string, m *member) {
	f.schedule.remove(&m.scheduleItem)
	m.parkedAt = time.Now()
	delete(f.active, id)
	f.parked[id] = m
}

// forget drops members that were parked more than parkFor ago, and the oldest of those beyond
// maxActive.
func (f *fleet) forget(now time.Time) {
	maps.DeleteFunc(f.parked, func(_ string, m *member) bool { return now.Sub(m.parkedAt) > parkFor })
	if len(f.parked) <= f.maxActive {
		return
	}
	ids := slices.SortedFunc(maps.Keys(f.parked), func(a, b string) int { return f.parked[a].parkedAt.Compare(f.parked[b].parkedAt) })
	for _, id := range ids[:len(ids)-f.maxActive] {
		delete(f.parked, id)
	}
}

// admit returns the parked member of a target that has returned, or a new one.
func (f *fleet) admit(w targetlist.Target) (*member, error) {
	var predecessor *scheduleItem
	if m, known := f.parked[w.ID]; known {
		delete(f.parked, w.ID)
		if m.listed.SameProcess(w) {
			f.change(m.target, w)
			m.listed = w
			return m, nil
		}
		predecessor = &m.scheduleItem
	}
	t, err := f.create(w)
	if err != nil {
		return nil, err
	}
	return &member{scheduleItem: scheduleItem{target: t}, listed: w, predecessor: predecessor}, nil
}

// The first scrapes of a few new targets are spread over some seconds, so that a user who has just
// configured one sees it soon. Many are scraped at 50 per second or at the normal rate of the
// fleet, whichever is higher: replacing a tenth of a fleet does not double the load for long, and
// starting a whole fleet does not exceed the normal load.
const (
	firstScrapeSpread = 4 * time.Second
	firstScrapeGap    = 20 * time.Millisecond
)

// firstScrapeWindow returns the time within which newly added targets are scraped for the first
// time. targets is the number of all targets.
func firstScrapeWindow(interval time.Duration, added, targets int) time.Duration {
	share := time.Duration(float64(interval) * float64(added) / float64(max(targets, 1)))
	return min(interval, max(firstScrapeSpread, min(time.Duration(added)*firstScrapeGap, share)))
}
