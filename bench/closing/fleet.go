package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

const (
	agedAfter = 10 * time.Minute
	// minDuration is also how long the detector counts instances that have ended.
	minDuration = 30 * time.Minute
	// birthsPerHour is the number of goroutines that an instance starts at the mean load.
	birthsPerHour = 36_000
	minLeaked     = 10
)

// epoch is the start of each case, in the morning.
var epoch = time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)

// load returns the load relative to its mean. It is three times as high by day as by night.
func load(at time.Time) float64 {
	hours := at.Sub(epoch).Hours()
	return 1 + 0.5*math.Sin(2*math.Pi*hours/24)
}

// instance is one process of the simulated service.
type instance struct {
	name    string
	slot    int
	version string
	start   time.Time
	end     time.Time // zero while it lives
	births  float64
	leaked  []time.Time // when each was started
}

// aged returns the number of aged leaked goroutines.
func (p *instance) aged(at time.Time) int { return p.olderThan(at, agedAfter) }

func (p *instance) olderThan(at time.Time, age time.Duration) int {
	for i, born := range slices.Backward(p.leaked) {
		if at.Sub(born) >= age {
			return i + 1
		}
	}
	return 0
}

// fleet is a service some versions of which leak.
type fleet struct {
	r         *rand.Rand
	rate      float64 // mean of leaked goroutines per hour and instance
	byLoad    bool    // the leak follows the load
	burst     int     // goroutines that leak at once
	renamed   bool    // a new process has a new name
	step      time.Duration
	now       time.Time
	leaks     map[string]float64 // relative to rate, by version
	instances []*instance        // in order of start
	live      []*instance        // by slot
	detector  detector
	events    int // leak events, each of burst goroutines
}

// start starts a new process in a slot, and ends the previous one.
func (f *fleet) start(slot int, version string) {
	p := &instance{name: fmt.Sprintf("pod-%d", slot), slot: slot, version: version, start: f.now}
	if f.renamed {
		p.name = fmt.Sprintf("pod-%d-%d", slot, len(f.instances))
	}
	if slot < len(f.live) {
		f.live[slot].end = f.now
		f.live[slot] = p
	} else {
		f.live = append(f.live, p)
	}
	f.instances = append(f.instances, p)
}

// intensity returns the present number of goroutines per hour that a leaking instance leaks.
func (f *fleet) intensity() float64 {
	if f.byLoad {
		return f.rate * load(f.now)
	}
	return f.rate
}

// advance advances the time by one step.
func (f *fleet) advance() {
	f.now = f.now.Add(f.step)
	hours := f.step.Hours()
	for _, p := range f.live {
		p.births += birthsPerHour * load(f.now) * hours
		n := poisson(f.r, f.leaks[p.version]*f.intensity()*hours/float64(f.burst))
		f.events += n
		for range n * f.burst {
			p.leaked = append(p.leaked, f.now)
		}
	}
}

func poisson(r *rand.Rand, mean float64) int {
	n := 0
	for left := mean; ; n++ {
		if left -= r.ExpFloat64(); left < 0 {
			return n
		}
	}
}

// attributes returns attributes by key and value in turn.
func attributes(pairs ...string) finding.Attributes {
	return func(key string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == key {
				return pairs[i+1]
			}
		}
		return ""
	}
}

var place = attributes(telemetry.AttrLeakID, "3e0e28e30f2a7cd8", telemetry.AttrState, "chan_send",
	telemetry.AttrFunction, "shop/order.ask", telemetry.AttrFile, "/src/order.go", telemetry.AttrLine, "88", telemetry.AttrEntry, "shop/order.ask")

// census has the attributes of the group in a version in which the line has moved.
var census = attributes(telemetry.AttrState, "chan_send", telemetry.AttrFunction, "shop/order.ask", telemetry.AttrFile, "/src/order.go",
	telemetry.AttrLine, "91", telemetry.AttrEntry, "shop/order.ask", telemetry.AttrAgeMin, "600")

// scrape passes the current metrics to a Tracker, as the receiver and the processor emit them.
func (f *fleet) scrape(b *finding.Tracker) []finding.Change {
	verdict := f.detector.judge(f)
	service := attributes("service.name", "shop")
	for _, p := range f.live {
		resource := attributes("service.name", "shop", "service.instance.id", p.name)
		b.Observe(finding.Point{Metric: telemetry.GoroutineCreations, Resource: resource, At: f.now, Start: p.start, Value: p.births})
		b.Observe(finding.Point{Metric: telemetry.ProcessBuild, Resource: resource, Attributes: attributes(telemetry.AttrBuildID, p.version), At: f.now, Value: 1})
		if !f.detector.off {
			b.Observe(finding.Point{Metric: telemetry.StackAgedCount, Resource: resource, Attributes: census, At: f.now, Value: float64(p.aged(f.now))})
		}
		if n := p.aged(f.now); n >= minLeaked && f.now.Sub(p.start) >= minDuration {
			for metric, value := range map[string]float64{
				telemetry.LeakSeverity: 2, telemetry.LeakCount: float64(n), telemetry.LeakAgeMin: agedAfter.Seconds(),
				telemetry.LeakGrowthRate: float64(n) / f.now.Sub(p.start).Hours(), telemetry.LeakStartTime: float64(p.leaked[0].Unix()),
			} {
				b.Observe(finding.Point{Metric: metric, Resource: resource, Attributes: place, At: f.now, Value: value})
			}
		}
	}
	if verdict.shown {
		for metric, value := range map[string]float64{
			telemetry.ServiceLeakSeverity: verdict.severity, telemetry.ServiceLeakCount: verdict.count,
			telemetry.ServiceLeakGrowthRate: verdict.perHour, telemetry.ServiceLeakInstanceCount: verdict.instances,
		} {
			b.Observe(finding.Point{Metric: metric, Resource: service, Attributes: place, At: f.now, Value: value})
		}
	}
	return b.Advance(f.now)
}
