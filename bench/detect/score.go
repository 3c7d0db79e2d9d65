package main

import (
	"math"
	"slices"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// outcome is what a detector made of one case.
//
// Each leak of a case is one positive, found or not. All that is healthy in a
// case is one negative, however many groups and instances that is: it makes one
// false alarm when any of it is flagged. In a family of leaks that is the groups
// beside the leak, the other replicas, and the leak itself before it begins.
type outcome struct {
	// found is, for each leak, how many minutes after its onset it was first
	// flagged; notFound if never.
	found []float64
	// falseAlarm is whether anything was flagged that does not leak, and by
	// whom the first of it.
	falseAlarm bool
	accused    string
	at         float64
	// interrupted tells of each leak whether its flag, once up, was down at a later
	// snapshot of the same life, in which the leak went on. Only our columns know.
	interrupted []bool
}

const notFound = -1

// judge is told of alarms, in order of time, and makes an outcome of them.
type judge struct {
	trial  trial
	from   float64 // flags before do not count
	least  growth.Severity
	result outcome
	flags  []flagged // of each leak
}

// flagged is what was last seen of the flag of a leak.
type flagged struct {
	minute int // at which it was up
	life   int // counted from 1, in which it has been; 0 is none
}

func newJudge(t trial, from float64, least growth.Severity) *judge {
	j := &judge{trial: t, from: from, least: least, flags: make([]flagged, len(t.leaks))}
	for range t.leaks {
		j.result.found = append(j.result.found, notFound)
		j.result.interrupted = append(j.result.interrupted, false)
	}
	return j
}

func (j *judge) hear(f alarm) {
	minute := float64(f.minute)
	if minute < j.from || f.severity < j.least {
		return
	}
	leaks := false
	for i, l := range j.trial.leaks {
		if !l.is(f) || minute < l.onset {
			continue
		}
		leaks = true
		j.flags[i].minute = f.minute
		if j.result.found[i] == notFound {
			j.result.found[i] = minute - l.onset
		}
	}
	// Processes are heard one after the other.
	if !leaks && (!j.result.falseAlarm || minute < j.result.at) {
		j.result.falseAlarm, j.result.accused, j.result.at = true, f.who, minute
	}
}

// looked tells that all flags of a snapshot have been heard.
func (j *judge) looked(process, minute, life int) {
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

// services hears only what is said of the service as a whole.
type services struct{ *judge }

func (j services) hear(a alarm) {
	if a.process == theService {
		j.judge.hear(a)
	}
}

// looked does nothing: of a service no lives are known.
func (services) looked(_, _, _ int) {}

// ofService returns the trial as it is to be judged of the service: leaks of one kind in
// several instances are one.
func (t trial) ofService() trial {
	var leaks []leak
	for _, l := range t.leaks {
		l.process = theService
		i := slices.IndexFunc(leaks, func(have leak) bool { return slices.Equal(have.who, l.who) })
		if i < 0 {
			leaks = append(leaks, l)
		} else {
			leaks[i].onset = min(leaks[i].onset, l.onset)
		}
	}
	return trial{processes: t.processes, leaks: leaks}
}

// is tells whether a flag is about the leak: on its process, or on the service as a whole.
// One on the number of goroutines of the process is, if it is goroutines that leak.
func (l leak) is(f alarm) bool {
	if f.process != l.process && f.process != theService {
		return false
	}
	return slices.Contains(l.who, f.who) || f.who == "" && len(l.groups) > 0
}

// score sums up the outcomes of one detector.
type score struct {
	cases                  int
	leaks, found           int
	interrupted            int // leaks whose flag was
	healthy, healthyAlarms int // cases without a leak, and those of them with a false alarm
	alarms                 int // cases with a false alarm
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

// recall is the share of leaks that were found.
func (s *score) recall() float64 { return share(s.found, s.leaks) }

// falsePositiveRate is the share of cases without any leak that gave an alarm.
func (s *score) falsePositiveRate() float64 { return share(s.healthyAlarms, s.healthy) }

// precision is the share of true ones among leaks found and false alarms of all
// cases, those in families of leaks included.
func (s *score) precision() float64 {
	if s.healthy == 0 {
		return math.NaN() // it was asked of leaks only
	}
	return share(s.found, s.found+s.alarms)
}

// share is NaN of nothing.
func share(part, of int) float64 {
	if of == 0 {
		return math.NaN()
	}
	return float64(part) / float64(of)
}

// timeTo returns the time, in minutes, within which this share of all leaks was
// found: those that never were took forever. NaN if there are none.
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
