package history

import (
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// service is the data of a service.
type service struct {
	name        finding.Service
	first, last time.Time // of its data
	judged      time.Time // when a detector last reported on it
	aged        bool      // ages of goroutines are known
	instances   map[string]*instance
	lines       map[lineKey]*line
	groups      map[string]*group
	origins     map[originKey]*Origin
	bounds      []float64 // of the age bands, in seconds, in the order in which they came
	window      window
	time        timeline
	total       total
}

// total is the goroutines of all instances, those of no group included.
type total struct {
	count, instances *curve
	now              float64
	pending          float64
}

func newService(name finding.Service) *service {
	return &service{
		name: finding.Service{
			Namespace: strings.Clone(name.Namespace), Name: strings.Clone(name.Name), Environment: strings.Clone(name.Environment),
			Cluster: strings.Clone(name.Cluster), K8sNamespace: strings.Clone(name.K8sNamespace),
		},
		instances: make(map[string]*instance),
		lines:     make(map[lineKey]*line),
		groups:    make(map[string]*group),
		origins:   make(map[originKey]*Origin),
	}
}

// window is an interval in which each instance is added once.
type window struct {
	width time.Duration // 0 until the time between two scrapes is known
	index int64
	// came reports which metrics arrived in the window, and contributed is the number of instances
	// that were added.
	came        [summed]bool
	contributed int
	partial     bool // it began before it was known how wide it must be
	done        bool // one was closed
}

// Minimum and maximum width of a window. Instances that are scraped more rarely than
// every ten minutes contribute to some windows only.
const (
	leastWidth = 500 * time.Millisecond
	mostWidth  = 20 * time.Minute
)

// scrapesPerWindow is how often an instance is scraped in a window, at least: with two, one
// that comes late is the second, which does not count.
const scrapesPerWindow = 2

// sum adds a point to the window of its service, if it is of the first scrape of its instance
// in it.
func (h *History) sum(s *service, i *instance, m metric, p finding.Point) {
	at := p.At.UnixNano()
	h.learnStep(s, i, at)
	width := s.window.width
	if width == 0 {
		width = mostWidth // everything is of one window until the step is known
	}
	index := at / int64(width)
	switch {
	case index > s.window.index:
		if s.window.width > 0 {
			h.closeWindow(s)
		} else {
			s.restart()
		}
		s.window.index = index
	case index < s.window.index:
		return
	}
	if taken := i.taken[m]; taken != at {
		if taken != 0 && taken/int64(width) == index {
			return
		}
		i.taken[m] = at
	}
	if (m == goroutines || m == stackCount) && i.window != index {
		i.window = index
		s.window.contributed++
	}
	s.window.came[m] = true
	if m == goroutines {
		i.goroutines = p.Value
		s.total.pending += p.Value
		return
	}
	h.sumGroup(s, m, p)
}

// learnStep updates the interval between two scrapes of an instance.
func (h *History) learnStep(s *service, i *instance, at int64) {
	gap := time.Duration(at - i.latest)
	if gap <= 0 {
		return
	}
	known := i.latest != 0
	// Points of one scrape may be milliseconds apart.
	if gap < leastWidth/4 && known {
		return
	}
	i.latest = at
	if !known {
		return
	}
	if i.gaps++; i.gaps == 1 || gap < i.step {
		i.step = gap
	}
	if s.window.width > 0 && i.gaps < gapsKnown {
		return
	}
	if width := min(max(scrapesPerWindow*i.step, leastWidth), mostWidth); width > s.window.width {
		s.window.width = width
		s.restart()
		s.window.index, s.window.partial = at/int64(width), true
	}
}

// gapsKnown is the number of gaps after which the step of an instance is reliable: one may be an
// outage.
const gapsKnown = 3

// restart empties the window.
func (s *service) restart() {
	w := &s.window
	w.came, w.contributed = [summed]bool{}, 0
	s.total.pending = 0
	for _, i := range s.instances {
		i.taken, i.window = [summed]int64{}, 0
	}
	for _, l := range s.lines {
		l.pending = 0
	}
	for _, g := range s.groups {
		g.pending = [parts]float64{}
	}
}

// closeWindow adds the window to the curves. A partial one has not seen every instance.
func (h *History) closeWindow(s *service) {
	w := &s.window
	at := time.Unix(0, (w.index+1)*int64(w.width)-1)
	if w.came[goroutines] {
		s.total.now = s.total.pending
	}
	for _, l := range s.lines {
		if w.came[l.counted()] {
			if l.now = l.pending; l.now > 0 {
				l.last = at
			}
		}
		l.pending = 0
	}
	if !w.partial {
		h.draw(s, at)
	}
	for _, g := range s.groups {
		g.pending = [parts]float64{}
	}
	w.came, w.contributed, w.done, w.partial = [summed]bool{}, 0, true, false
	s.total.pending = 0
}

// draw adds the window to the curves.
func (h *History) draw(s *service, at time.Time) {
	w, slot := &s.window, h.slot(s, at)
	if w.came[goroutines] {
		s.total.count = h.set(s.total.count, slot, s.total.pending)
	}
	if w.contributed > 0 {
		s.total.instances = h.set(s.total.instances, slot, float64(w.contributed))
	}
	for _, g := range s.groups {
		h.drawGroup(g, w, slot)
	}
}
