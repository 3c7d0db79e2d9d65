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
	bounds      []float64 // of the age bands, in seconds, in order of arrival
	window      window
	time        timeline
	total       total
}

// total is the number of all goroutines of a service.
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

// window is an interval in which each instance contributes once.
type window struct {
	width time.Duration // 0 until the time between two scrapes is known
	index int64
	// came has the metrics that arrived in the window, and contributed is the number of instances
	// that contributed.
	came        [summed]bool
	contributed int
	partial     bool // points came before its width was known
	done        bool // a window was closed
}

// The minimum and maximum width of a window. Instances that are scraped less often than every ten
// minutes contribute only to some windows.
const (
	minWidth = 500 * time.Millisecond
	maxWidth = 20 * time.Minute
)

// scrapesPerWindow is the minimum number of scrapes of an instance in a window. With two, a late
// scrape is the second of its window, which does not count.
const scrapesPerWindow = 2

// sum adds a point to the window of its service, if it is from the first scrape of its instance in
// the window.
func (h *History) sum(s *service, i *instance, m metric, p finding.Point) {
	at := p.At.UnixNano()
	h.learnStep(s, i, at)
	width := s.window.width
	if width == 0 {
		width = maxWidth // until the step is known
	}
	index := at / int64(width)
	switch {
	case index > s.window.index:
		if s.window.width > 0 {
			h.closeWindow(s)
		} else {
			s.resetWindow()
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
	if gap < minWidth/4 && known {
		return
	}
	i.latest = at
	if !known {
		return
	}
	if i.gaps++; i.gaps == 1 || gap < i.step {
		i.step = gap
	}
	if s.window.width > 0 && i.gaps < minGaps {
		return
	}
	if width := min(max(scrapesPerWindow*i.step, minWidth), maxWidth); width > s.window.width {
		s.window.width = width
		s.resetWindow()
		s.window.index, s.window.partial = at/int64(width), true
	}
}

// minGaps is the number of gaps from which the step of an instance is reliable: a single one may be
// an outage.
const minGaps = 3

// resetWindow empties the window.
func (s *service) resetWindow() {
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

// closeWindow updates the current numbers, and adds the window to the curves unless it is partial:
// then instances may be missing.
func (h *History) closeWindow(s *service) {
	w := &s.window
	at := time.Unix(0, (w.index+1)*int64(w.width)-1)
	if w.came[goroutines] {
		s.total.now = s.total.pending
	}
	for _, l := range s.lines {
		if w.came[l.countMetric()] {
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
