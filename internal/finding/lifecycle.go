package finding

import (
	"slices"
	"time"
)

// onlyVersion returns the version of all processes, 0 if they have several.
func (s *service) onlyVersion() int {
	only := 0
	for _, p := range s.Processes {
		if p.Version == 0 || only != 0 && p.Version != only {
			return 0
		}
		only = p.Version
	}
	return only
}

// alive returns the versions of all processes.
func (s *service) alive() []int {
	var versions []int
	for _, p := range s.Processes {
		versions = append(versions, p.Version)
	}
	return versions
}

// advance updates the finding and returns its change, nil if there is none.
func (r *record) advance(s *service, now time.Time) *Change {
	if r.touched {
		r.Seen, r.touched = now, false
	}
	if r.Phase == open && r.Waiting.IsZero() && now.Sub(r.Seen) > s.config.MaxStale {
		return r.end(s, NoData, now)
	}
	r.updateRows(s, now)
	live := r.liveSeverity(s)
	if live == None {
		if r.Phase == open {
			return r.wait(s, now)
		}
		return nil
	}
	versions := r.evidenceIn(s)
	if r.Phase == open && r.shownSeverity() == None && r.closable(s) && s.Seen.Sub(s.Lost) > lossDelay {
		// The count no longer includes processes that are gone, so living processes have the
		// goroutines.
		versions = append(versions, s.alive()...)
	}
	for _, v := range versions {
		r.markLeaking(v)
	}
	if r.HeldUntil.Before(now) {
		r.Held = None
	}
	severity := max(live, r.Held)
	switch r.Phase {
	case open:
		if !r.Waiting.IsZero() {
			r.Waiting = time.Time{}
			r.Pace.Hours += r.Clean.Hours
			r.Pace.Births += r.Clean.Births
			r.Clean = exposure{}
		}
		return r.updateSeverity(s, severity, now)
	case closed:
		return r.reopen(s, severity, versions, now)
	}
	return r.start(s, Detected, severity, now)
}

// updateRows deletes stale rows, and notes the latest evidence.
func (r *record) updateRows(s *service, now time.Time) {
	if w := r.Whole; w != nil && w.touched {
		w.touched, w.Seen = false, now
	}
	for key, w := range r.Rows {
		p := s.Processes[w.Process]
		if p == nil || p.Last.Sub(w.Severity.At) > s.config.MaxStale {
			delete(r.Rows, key)
			continue
		}
		if w.Severity.Value == 0 {
			continue
		}
		if w.Severity.At.After(r.Latest) {
			r.Latest = w.Severity.At
		}
		if at := unixTime(w.Start); !at.IsZero() && (r.Began.IsZero() || at.Before(r.Began)) {
			r.Began = at
		}
		if age := seconds(w.Age.Value); age > 0 && (r.Age == 0 || age < r.Age) {
			r.Age = age
		}
	}
	if r.Whole.shows() && r.Whole.Severity.At.After(r.Latest) {
		r.Latest = r.Whole.Severity.At
	}
}

// unixTime returns the time of a sample in Unix seconds, zero if it is impossible.
func unixTime(s sample) time.Time {
	if !s.known() || s.Value <= 0 || s.Value > float64(s.At.Unix()) {
		return time.Time{}
	}
	return time.Unix(0, int64(s.Value*1e9)).UTC()
}

// evidenceIn returns the versions that show the leak now.
func (r *record) evidenceIn(s *service) []int {
	var versions []int
	for _, w := range r.Rows {
		if p := s.Processes[w.Process]; p != nil && w.Severity.Value > 0 && p.Version > 0 && !slices.Contains(versions, p.Version) {
			versions = append(versions, p.Version)
		}
	}
	if only := s.onlyVersion(); len(versions) == 0 && only > 0 && (len(r.Leaking) == 0 || r.Phase == closed) {
		versions = append(versions, only)
	}
	return versions
}

// updateSeverity returns a change of the severity or of the known origin, nil if there is none.
func (r *record) updateSeverity(s *service, severity Severity, now time.Time) *Change {
	was := r.Severity
	r.Severity = severity
	switch {
	case severity > was:
		return r.change(s, Raised, was, now)
	case severity < was:
		return r.change(s, Lowered, was, now)
	case r.knowledge() > r.Reported:
		return r.change(s, Explained, was, now)
	}
	return nil
}

// reopen reopens a finding that a version had closed. In that version or a later one it has
// regressed; in an earlier one it was never gone.
func (r *record) reopen(s *service, severity Severity, versions []int, now time.Time) *Change {
	if len(versions) == 0 {
		versions = s.alive() // unknown, but one of these
	}
	if len(versions) > 0 && slices.Min(versions) >= r.ClosedBy {
		return r.start(s, Regressed, severity, now)
	}
	return r.start(s, Detected, severity, now)
}

// start opens the finding.
func (r *record) start(s *service, kind ChangeKind, severity Severity, now time.Time) *Change {
	r.Phase, r.Severity, r.Waiting, r.Clean = open, severity, time.Time{}, exposure{}
	r.Detected = r.Latest
	for _, p := range s.Processes {
		if p.Last.After(r.Opened) {
			r.Opened = p.Last
		}
	}
	r.noteDelay()
	change := r.change(s, kind, None, now)
	r.ClosedBy, r.AtLatest, r.Missing, r.Reason, r.Over = 0, false, 0, "", time.Time{}
	return change
}

// noteDelay notes how long detection took, and how many goroutines, in the processes that show the
// leak first.
func (r *record) noteDelay() {
	r.Delay, r.Enough = 0, 0
	for _, w := range r.Rows {
		began := unixTime(w.Start)
		if w.Severity.Value == 0 || began.IsZero() || !w.Severity.At.After(began) {
			continue
		}
		if delay := w.Severity.At.Sub(began); delay > r.Delay {
			r.Delay = delay
		}
		r.Enough = max(r.Enough, w.Count.Value)
	}
}

// wait handles an open finding without evidence: it has ended, or its processes are gone and it
// waits for the processes that replace them.
func (r *record) wait(s *service, now time.Time) *Change {
	reason, decided := r.decideEndReason(s)
	if !decided {
		return nil
	}
	if reason == Slowed && r.Held >= Probable && now.Before(r.HeldUntil) {
		// The detector holds a probable leak for a day, so in the new process this was only a
		// suspicion. It does not end the leak of the old processes.
		reason = ProcessGone
	}
	if reason != ProcessGone {
		return r.end(s, reason, now)
	}
	if r.Waiting.IsZero() {
		r.Waiting = now
	}
	if r.closable(s) && (r.absentInCensus(s) || r.absentInWhole(s) || r.absentByDelay(s)) {
		if change := r.tryClose(s, now); change != nil {
			return change
		}
	}
	switch {
	case now.Sub(s.Seen) > s.config.MaxStale:
		return r.end(s, NoData, now)
	case now.Sub(r.Waiting) > s.config.MaxStale && !r.worthWaiting(s, now):
		return r.end(s, ProcessGone, now)
	}
	return nil
}

// maxWaitFactor is the maximum time that a finding waits if its absence will be certain by then, as
// a multiple of MaxStale. At one goroutine in five hours that takes 35 hours.
const maxWaitFactor = 7

// worthWaiting reports whether the absence of a waiting finding will be certain in time.
func (r *record) worthWaiting(s *service, now time.Time) bool {
	left, ok := r.untilCertain(s)
	return ok && now.Sub(r.Waiting)+left <= maxWaitFactor*s.config.MaxStale
}

// decideEndReason returns the reason for which a living process ended the finding, ProcessGone if
// none did. It returns false while the reason may still come.
func (r *record) decideEndReason(s *service) (EndReason, bool) {
	var last *row
	for _, w := range r.Rows {
		if !w.Zero.IsZero() && (last == nil || w.Zero.After(last.Zero)) {
			last = w
		}
	}
	if last == nil {
		return ProcessGone, true
	}
	p := s.Processes[last.Process]
	slack := max(time.Minute, p.Step)
	for _, reason := range endReasons() {
		if e, ok := p.Ended[string(reason)]; ok && !e.Last.IsZero() && e.Last.Sub(last.Zero).Abs() <= slack {
			return reason, true
		}
	}
	if !last.Zero.Before(p.Last) {
		return "", false
	}
	if last.Zero.Sub(p.First) <= slack {
		return ProcessGone, true // it replaced a process that leaked, under the same name
	}
	return "", true
}

func (r *record) end(s *service, reason EndReason, now time.Time) *Change {
	was := r.Severity
	r.Phase, r.Severity, r.Reason, r.Over, r.Held = ended, None, reason, now, None
	change := r.change(s, Ended, was, now)
	r.clear()
	return change
}

// clear deletes the evidence, so that the finding is not reopened by old data.
func (r *record) clear() {
	clear(r.Rows)
	clear(r.Old)
	r.Whole, r.Waiting, r.Began, r.Clean, r.Pace, r.Pending = nil, time.Time{}, time.Time{}, exposure{}, pace{}, exposure{}
}

// retention is how long a finding is kept after its end: a quarter of a year, so that a leak that
// comes back with the next release is reported as regressed.
const retention = 90 * 24 * time.Hour

// canDelete reports whether the finding may be deleted.
func (r *record) canDelete(now time.Time) bool {
	switch r.Phase {
	case open:
		return false
	case unflagged:
		return len(r.Rows) == 0 && !r.Whole.shows()
	}
	return now.Sub(r.Over) > retention
}
