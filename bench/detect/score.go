package main

import (
	"math"
	"slices"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// outcome is the result of a detector for one case.
//
// Each leak is one positive, found or not. Everything healthy in a case is one negative, which has one false alarm if any
// of it is flagged. In a family of leaks that is the other groups, the other replicas, and the leak before its onset.
type outcome struct {
	// found has the minutes from the onset of each leak until its first flag, or notFound.
	found []float64
	// falseAlarm means that anything healthy was flagged; accused is the first such subject, at the minute.
	falseAlarm bool
	accused    string
	at         float64
	// interrupted reports for each leak whether its flag was missing at a later snapshot of the same life. It is only
	// set for our columns.
	interrupted []bool
}

const notFound = -1

// judge makes an outcome of alarms, which must be added in order of time.
type judge struct {
	trial  trial
	from   float64 // flags before do not count
	least  growth.Severity
	result outcome
	flags  []flagged // by leak
}

// flagged is when a leak was last flagged.
type flagged struct {
	minute int
	life   int // counted from 1; 0 means never
}

func newJudge(t trial, from float64, least growth.Severity) *judge {
	j := &judge{trial: t, from: from, least: least, flags: make([]flagged, len(t.leaks))}
	for range t.leaks {
		j.result.found = append(j.result.found, notFound)
		j.result.interrupted = append(j.result.interrupted, false)
	}
	return j
}

// add adds an alarm.
func (j *judge) add(a alarm) {
	minute := float64(a.minute)
	if minute < j.from || a.severity < j.least {
		return
	}
	leaks := false
	for i, l := range j.trial.leaks {
		if !l.matches(a) || minute < l.onset {
			continue
		}
		leaks = true
		j.flags[i].minute = a.minute
		if j.result.found[i] == notFound {
			j.result.found[i] = minute - l.onset
		}
	}
	// Alarms of several processes may not be in order.
	if !leaks && (!j.result.falseAlarm || minute < j.result.at) {
		j.result.falseAlarm, j.result.accused, j.result.at = true, a.subject, minute
	}
}

// endSnapshot is called after all alarms of a snapshot have been added.
func (j *judge) endSnapshot(process, minute, life int) {
	for i, l := range j.trial.leaks {
		if l.process != process {
			continue
		}
		f := &j.flags[i]
		switch up := f.minute == minute && j.result.found[i] != notFound; {
		case up:
			f.life = life + 1
		case f.life == life+1:
			j.result.interrupted[i] = true
		}
	}
}

// serviceJudge is a judge that only adds alarms for the service as a whole.
type serviceJudge struct{ *judge }

func (j serviceJudge) add(a alarm) {
	if a.process == theService {
		j.judge.add(a)
	}
}

// endSnapshot does nothing, since a service has no lives.
func (serviceJudge) endSnapshot(_, _, _ int) {}

// ofService returns the trial for the service as a whole: the same leak in several instances is one leak.
func (t trial) ofService() trial {
	var leaks []leak
	for _, l := range t.leaks {
		l.process = theService
		i := slices.IndexFunc(leaks, func(known leak) bool { return slices.Equal(known.subjects, l.subjects) })
		if i < 0 {
			leaks = append(leaks, l)
		} else {
			leaks[i].onset = min(leaks[i].onset, l.onset)
		}
	}
	return trial{processes: t.processes, leaks: leaks}
}

// matches reports whether an alarm is for the leak, in its process or in the service as a whole. An alarm for the number
// of goroutines of the process matches if goroutines leak.
func (l leak) matches(a alarm) bool {
	if a.process != l.process && a.process != theService {
		return false
	}
	return slices.Contains(l.subjects, a.subject) || a.subject == "" && len(l.groups) > 0
}

// score sums up the outcomes of one detector.
type score struct {
	cases                  int
	leaks, found           int
	interrupted            int // leaks with an interrupted flag
	healthy, healthyAlarms int // cases without a leak, and those with a false alarm
	alarms                 int // all cases with a false alarm
	times                  []float64
}

// add adds the outcome of a case.
func (s *score) add(o outcome) {
	s.cases++
	s.leaks += len(o.found)
	for _, at := range o.found {
		if at != notFound {
			s.found++
			s.times = append(s.times, at)
		}
	}
	for _, interrupted := range o.interrupted {
		if interrupted {
			s.interrupted++
		}
	}
	if o.falseAlarm {
		s.alarms++
	}
	if len(o.found) == 0 {
		s.healthy++
		if o.falseAlarm {
			s.healthyAlarms++
		}
	}
}

// recall returns the share of leaks that were found.
func (s *score) recall() float64 { return share(s.found, s.leaks) }

// falsePositiveRate returns the share of cases without a leak that have a false alarm.
func (s *score) falsePositiveRate() float64 { return share(s.healthyAlarms, s.healthy) }

// precision returns the share of found leaks among found leaks and false alarms of all cases. It is NaN without healthy
// cases.
func (s *score) precision() float64 {
	if s.healthy == 0 {
		return math.NaN()
	}
	return share(s.found, s.found+s.alarms)
}

// share returns part/of, or NaN if of is 0.
func share(part, of int) float64 {
	if of == 0 {
		return math.NaN()
	}
	return float64(part) / float64(of)
}

// timeTo returns the time in minutes within which a share of all leaks was found, infinite if fewer were found, and NaN
// without leaks.
func (s *score) timeTo(quantile float64) float64 {
	if s.leaks == 0 {
		return math.NaN()
	}
	times := slices.Sorted(slices.Values(s.times))
	i := int(math.Ceil(quantile*float64(s.leaks))) - 1
	if i >= len(times) {
		return math.Inf(1)
	}
	return times[max(0, i)]
}
