// Package pagetest plays metrics as receiver and detector send them, for tests of what shows
// them.
package pagetest

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// Start is when all data begins.
var Start = time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)

// Memory is what takes the points: a page.Memory.
type Memory interface {
	Batch(now time.Time, fill func(observe func(finding.Point))) []finding.Change
	Origin(of finding.Service, o history.Origin, now time.Time)
}

// pairs are attributes: keys and values.
type pairs []string

func (p pairs) get(key string) string {
	for i := 0; i+1 < len(p); i += 2 {
		if p[i] == key {
			return p[i+1]
		}
	}
	return ""
}

// Group is a group of goroutines of each instance.
type Group struct {
	finding.Place
	Count float64 // healthy ones
	// Leaks is how many leak each hour in an instance from After on, if it is flagged with
	// the ID at Severity. An hour later it is flagged.
	Leaks    float64
	After    time.Duration
	ID       string
	Severity finding.Severity
	Exits    float64 // an hour
}

// Service is what replicas have in common.
type Service struct {
	Name      string
	Instances int
	Groups    []Group
	// Versions begin one after the other, Every apart.
	Versions []string
	Every    time.Duration
	// Down are the last instances, which cannot be scraped for this reason.
	Down   int
	Reason string
	// Unjudged services have no detector.
	Unjudged bool
	Begins   time.Duration // after Start
}

// Play plays services for a time, and returns when that ends.
func Play(m Memory, services []Service, length, step time.Duration) time.Time {
	now := Start
	for at := step; at <= length; at += step {
		now = Start.Add(at)
		for i := range services {
			s := &services[i]
			if at < s.Begins {
				continue
			}
			m.Batch(now, func(observe func(finding.Point)) { s.points(now, at, step, observe) })
		}
	}
	return now
}

// points tells what all instances tell at a time.
func (s *Service) points(now time.Time, at, step time.Duration, observe func(finding.Point)) {
	if !s.Unjudged {
		observe(finding.Point{Metric: telemetry.ServiceInstanceCount, Resource: pairs{"service.name", s.Name}.get, At: now, Value: float64(s.Instances)})
	}
	for i := range s.Instances {
		name := s.Name + "-" + strconv.Itoa(i)
		resource := pairs{
			"service.name", s.Name, "service.instance.id", name, "server.address", fmt.Sprintf("10.0.%d.%d", i/250, i%250+1), "server.port", "6060",
		}.get
		// Instances are scraped one after the other.
		scraped := now.Add(-time.Duration(i) * step / time.Duration(2*s.Instances))
		tell := func(metric string, value float64, start time.Time, attributes ...string) {
			observe(finding.Point{Metric: metric, Resource: resource, Attributes: pairs(attributes).get, At: scraped, Start: start, Value: value})
		}
		down := i >= s.Instances-s.Down
		up, failures := 1.0, 0.0
		if down {
			up, failures = 0, at.Minutes()
		}
		tell(telemetry.ScrapeUp, up, time.Time{})
		tell(telemetry.ScrapeFailures, failures, Start, telemetry.AttrErrorType, s.Reason)
		if !down {
			tell(telemetry.ScrapeDuration, 0.012, time.Time{}, telemetry.AttrScrapeSource, "trace")
			s.instance(i, at, tell)
		}
	}
}

// instance tells of the goroutines of an instance.
func (s *Service) instance(i int, at time.Duration, tell func(metric string, value float64, start time.Time, attributes ...string)) {
	began := Start
	if len(s.Versions) > 0 {
		n := 0
		if s.Every > 0 {
			n = min(int(at/s.Every), len(s.Versions)-1)
		}
		began = Start.Add(time.Duration(n) * s.Every)
		tell(telemetry.ProcessBuild, 1, time.Time{}, telemetry.AttrServiceVersion, s.Versions[n], telemetry.AttrBuildID, "b"+strconv.Itoa(n)+"c0ffee00",
			telemetry.AttrRevision, fmt.Sprintf("%040x", n+0xabc))
	}
	tell(telemetry.GoroutineCreations, 100*at.Minutes(), began)
	total := 0.0
	for k := range s.Groups {
		total += s.Groups[k].tell(i, at, tell)
	}
	tell(telemetry.GoroutineCount, total, time.Time{})
}

// tell tells of a group, and returns how many goroutines it has.
func (g *Group) tell(i int, at time.Duration, tell func(metric string, value float64, start time.Time, attributes ...string)) float64 {
	set := []string{
		telemetry.AttrSignature, fmt.Sprintf("%016x", len(g.Function)+g.Line), telemetry.AttrState, g.State, telemetry.AttrFunction, g.Function,
		telemetry.AttrFile, g.File, telemetry.AttrLine, strconv.Itoa(g.Line), telemetry.AttrEntry, g.Entry,
	}
	hours := max(0, at-g.After).Hours()
	leaked := float64(int(g.Leaks * hours))
	// Load goes up and down, and is another one in each instance.
	count := float64(int(g.Count*(1+0.3*float64((int(at.Minutes())/7+i*3)%10)/10))) + leaked
	tell(telemetry.StackCount, count, time.Time{}, set...)
	band := func(from, to, bound float64) {
		aged := float64(int(g.Leaks*max(0, hours-from))) - float64(int(g.Leaks*max(0, hours-to)))
		if aged > 0 || bound == 600 {
			tell(telemetry.StackAgedCount, aged, time.Time{}, append(set, telemetry.AttrAgeMin, strconv.FormatFloat(bound, 'f', -1, 64))...)
		}
	}
	band(10.0/60, 80.0/60, 600)
	band(80.0/60, 320.0/60, 4800)
	band(320.0/60, 640.0/60, 19200)
	band(640.0/60, 1e9, 38400)
	tell(telemetry.StackAgedExits, float64(int(g.Exits*at.Hours())), Start, append(set, telemetry.AttrAgeMin, "600")...)
	if g.ID != "" && at >= g.After+time.Hour {
		flagged := slices.Concat(set, []string{telemetry.AttrLeakID, g.ID})
		tell(telemetry.LeakSeverity, float64(g.Severity), time.Time{}, flagged...)
		tell(telemetry.LeakCount, leaked, time.Time{}, flagged...)
		tell(telemetry.LeakGrowthRate, g.Leaks, time.Time{}, flagged...)
		tell(telemetry.LeakStartTime, float64(Start.Add(g.After).Unix()), time.Time{}, flagged...)
		tell(telemetry.LeakAgeMin, 600, time.Time{}, flagged...)
		tell(telemetry.LeakExits, 0, time.Time{}, flagged...)
	}
	return count
}
