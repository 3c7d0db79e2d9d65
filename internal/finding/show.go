package finding

import (
	"cmp"
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
)

// finding returns the Finding as of now.
func (r *record) finding(s *service) Finding {
	f := Finding{
		ID:       r.ID,
		Service:  s.Service,
		Status:   r.status(),
		Severity: r.Severity,
		Places:   r.places(),
		Creators: origins(r.Creators),
		Wakers:   origins(r.Wakers),
		Age:      r.Age,
		Exits:    -1,
		Of:       s.instances(),
		Began:    r.Began,
		Detected: r.Detected,
		Latest:   r.Latest,
		ClosedBy: s.versionName(r.ClosedBy),
		AtLatest: r.AtLatest,
		Missing:  r.Missing,
		Reason:   r.Reason,
	}
	if len(f.Places) > 0 {
		f.Head = f.Places[0]
	}
	f.Class, f.Page = r.Class, pageOf(f.Head.State)
	if f.Class == mistake.Unknown {
		f.Class = classOf(f.Head, f.Wakers)
	}
	if n := len(r.Leaking); n > 0 {
		f.FirstVersion, f.LastVersion = s.versionName(r.Leaking[0]), s.versionName(r.Leaking[n-1])
		f.Introduced = slices.ContainsFunc(s.Versions, func(v *version) bool { return v.Number < r.Leaking[0] })
	}
	r.addRows(&f, s)
	if f.Status == Waiting {
		f.Certain, _ = r.untilCertain(s)
	}
	var growth float64
	f.Memory, growth = r.memory(f.Count)
	f.Limit = r.limit(s, growth)
	f.Acquittal = f.acquittal()
	f.Evidence = f.evidence()
	return f
}

func (r *record) status() Status {
	switch {
	case r.Phase == closed:
		return Closed
	case r.Phase == ended:
		return Over
	case !r.Waiting.IsZero():
		return Waiting
	}
	return Open
}

// places returns the places, the head first. It omits places of the service as a whole, which have
// no line, if a process has the line.
func (r *record) places() []Place {
	var all []Place
	for _, key := range sorted(r.Places) {
		p := r.Places[key]
		if p.File == "" && p.Function != "" && r.hasPlace(func(q Place) bool { return q.Function == p.Function && q.File != "" }) {
			continue
		}
		all = append(all, p)
	}
	slices.SortFunc(all, comparePlaces)
	return all
}

// addRows sums up the rows of processes and the service as a whole.
func (r *record) addRows(f *Finding, s *service) {
	var counts, rates, exits headcount
	for _, w := range r.Rows {
		if w.Severity.Value == 0 {
			continue
		}
		counts.addRow(r, w, w.Count.Value)
		rates.addRow(r, w, w.Rate.Value)
		if w.Exits.known() {
			exits.addRow(r, w, w.Exits.Value)
		}
	}
	if len(exits.byProcess) > 0 {
		f.Exits = exits.total()
	}
	f.PerHour = rates.total()
	for _, name := range sorted(counts.byProcess) {
		n := counts.byProcess[name]
		f.Count += n
		version := ""
		if p := s.Processes[name]; p != nil {
			version = s.versionName(p.Version)
		}
		f.Worst = append(f.Worst, Instance{name, version, n})
	}
	slices.SortStableFunc(f.Worst, func(a, b Instance) int { return cmp.Compare(b.Count, a.Count) })
	f.Instances = len(f.Worst)
	f.Worst = slices.Clone(f.Worst[:min(maxWorst, len(f.Worst))]) // so that a Finding does not keep all instances in memory
	f.InAll = r.inAll(s)
	if w := r.Whole; w.shows() {
		f.Count, f.PerHour = max(f.Count, w.Count.Value), max(f.PerHour, w.Rate.Value)
		f.Instances = max(f.Instances, int(w.Instances.Value))
	}
	f.Of = max(f.Of, f.Instances)
}

// maxWorst is the maximum number of instances in a Finding.
const maxWorst = 5

// change returns a Change with the Finding as of now.
func (r *record) change(s *service, kind ChangeKind, was Severity, now time.Time) *Change {
	at := r.Latest
	for _, p := range s.Processes {
		if (kind == Ended || kind == ClosedByVersion || kind == Lowered) && p.Last.After(at) {
			at = p.Last
		}
	}
	if at.IsZero() {
		at = now
	}
	c := &Change{Kind: kind, At: at, Was: was, Finding: r.finding(s)}
	if kind == Regressed || kind == Detected {
		c.Finding.Reason = ""
	}
	c.Text = c.sentence()
	r.Reported = max(r.Reported, r.knowledge())
	return c
}
