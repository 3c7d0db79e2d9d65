// Package pagetest plays metrics as the receiver and the detector send them, for tests of pages.
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

// Start is the start time of all services.
var Start = time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)

// Sink receives the metrics and origins. A page.Aggregator is a Sink.
type Sink interface {
	ObserveBatch(now time.Time, fill func(observe func(finding.Point))) []finding.Change
	ObserveOrigin(service finding.Service, o history.Origin, now time.Time)
}

// pairs are attributes, keys and values in turn.
type pairs []string

func (p pairs) get(key string) string {
	for i := 0; i+1 < len(p); i += 2 {
		if p[i] == key {
			return p[i+1]
		}
	}
	return ""
}

// Group is a group of goroutines in each instance of a service.
type Group struct {
	finding.Place
	Count float64 // healthy goroutines
	// Leaks is the number of goroutines that leak per hour and instance, from After on. If ID is
	// set, the group is flagged with ID and Severity an hour later.
	Leaks    float64
	After    time.Duration
	ID       string
	Severity finding.Severity
	Exits    float64 // of aged goroutines, per hour
}

// Service is a service with its instances.
type Service struct {
	Name      string
	Instances int
	Groups    []Group
	// Versions are deployed one after the other, at intervals of Every.
	Versions []string
	Every    time.Duration
	// Down is the number of instances, the last ones, that cannot be scraped. Reason is the
	// error type.
	Down   int
	Reason string
	// Unjudged is set if no detector reports on the service.
	Unjudged bool
	Begins   time.Duration // first data, after Start
}

// Play plays services for the given duration, with a scrape every step. It returns the end time.
func Play(to Sink, services []Service, duration, step time.Duration) time.Time {
	now := Start
	for at := step; at <= duration; at += step {
		now = Start.Add(at)
		for i := range services {
			s := &services[i]
			if at < s.Begins {
				continue
			}
			to.ObserveBatch(now, func(observe func(finding.Point)) { s.points(now, at, step, observe) })
		}
	}
	return now
}

// points observes the points of a scrape of all instances.
func (s *Service) points(now time.Time, at, step time.Duration, observe func(finding.Point)) {
	if !s.Unjudged {
		observe(finding.Point{Metric: telemetry.ServiceInstanceCount, Resource: pairs{"service.name", s.Name}.get, At: now, Value: float64(s.Instances)})
	}
	for i := range s.Instances {
		name := s.Name + "-" + strconv.Itoa(i)
		resource := pairs{
			"service.name", s.Name, "service.instance.id", name, "server.address", fmt.Sprintf("10.0.%d.%d", i/250, i%250+1), "server.port", "6060",
		}.get
		// Scrapes of the instances are spread over half of the step.
		scraped := now.Add(-time.Duration(i) * step / time.Duration(2*s.Instances))
		send := func(metric string, value float64, start time.Time, attributes ...string) {
			observe(finding.Point{Metric: metric, Resource: resource, Attributes: pairs(attributes).get, At: scraped, Start: start, Value: value})
		}
		down := i >= s.Instances-s.Down
		up, failures := 1.0, 0.0
		if down {
			up, failures = 0, at.Minutes()
		}
		send(telemetry.ScrapeUp, up, time.Time{})
		send(telemetry.ScrapeFailures, failures, Start, telemetry.AttrErrorType, s.Reason)
		if !down {
			send(telemetry.ScrapeDuration, 0.012, time.Time{}, telemetry.AttrScrapeSource, "trace")
			s.sendInstance(i, at, send)
		}
	}
}

// sendFunc sends a point of an instance. start is the start time of a counter.
type sendFunc func(metric string, value float64, start time.Time, attributes ...string)

// sendInstance sends the points about the goroutines of instance i.
func (s *Service) sendInstance(i int, at time.Duration, send sendFunc) {
	processStart := Start
	if len(s.Versions) > 0 {
		n := 0
		if s.Every > 0 {
			n = min(int(at/s.Every), len(s.Versions)-1)
		}
		processStart = Start.Add(time.Duration(n) * s.Every)
		send(telemetry.ProcessBuild, 1, time.Time{}, telemetry.AttrServiceVersion, s.Versions[n], telemetry.AttrBuildID, "b"+strconv.Itoa(n)+"c0ffee00",
			telemetry.AttrRevision, fmt.Sprintf("%040x", n+0xabc))
	}
	send(telemetry.GoroutineCreations, 100*at.Minutes(), processStart)
	total := 0.0
	for k := range s.Groups {
		total += s.Groups[k].send(i, at, send)
	}
	send(telemetry.GoroutineCount, total, time.Time{})
}

// send sends the points of the group in instance i, and returns its number of goroutines.
func (g *Group) send(i int, at time.Duration, send sendFunc) float64 {
	set := []string{
		telemetry.AttrSignature, fmt.Sprintf("%016x", len(g.Function)+g.Line), telemetry.AttrState, g.State, telemetry.AttrFunction, g.Function,
		telemetry.AttrFile, g.File, telemetry.AttrLine, strconv.Itoa(g.Line), telemetry.AttrEntry, g.Entry,
	}
	hours := max(0, at-g.After).Hours()
	leaked := float64(int(g.Leaks * hours))
	// The load varies with time and between instances.
	count := float64(int(g.Count*(1+0.3*float64((int(at.Minutes())/7+i*3)%10)/10))) + leaked
	send(telemetry.StackCount, count, time.Time{}, set...)
	band := func(from, to, bound float64) {
		aged := float64(int(g.Leaks*max(0, hours-from))) - float64(int(g.Leaks*max(0, hours-to)))
		if aged > 0 || bound == 600 {
			send(telemetry.StackAgedCount, aged, time.Time{}, append(set, telemetry.AttrAgeMin, strconv.FormatFloat(bound, 'f', -1, 64))...)
		}
	}
	band(10.0/60, 80.0/60, 600)
	band(80.0/60, 320.0/60, 4800)
	band(320.0/60, 640.0/60, 19200)
	band(640.0/60, 1e9, 38400)
	send(telemetry.StackAgedExits, float64(int(g.Exits*at.Hours())), Start, append(set, telemetry.AttrAgeMin, "600")...)
	if g.ID != "" && at >= g.After+time.Hour {
		flagged := slices.Concat(set, []string{telemetry.AttrLeakID, g.ID})
		send(telemetry.LeakSeverity, float64(g.Severity), time.Time{}, flagged...)
		send(telemetry.LeakCount, leaked, time.Time{}, flagged...)
		send(telemetry.LeakGrowthRate, g.Leaks, time.Time{}, flagged...)
		send(telemetry.LeakStartTime, float64(Start.Add(g.After).Unix()), time.Time{}, flagged...)
		send(telemetry.LeakAgeMin, 600, time.Time{}, flagged...)
		send(telemetry.LeakExits, 0, time.Time{}, flagged...)
	}
	return count
}
