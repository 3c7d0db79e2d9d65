package finding

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

var epoch = time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)

// attributes returns the Attributes with these pairs of keys and values.
func attributes(pairs ...string) Attributes {
	return func(key string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == key {
				return pairs[i+1]
			}
		}
		return ""
	}
}

const leakID = "3e0e28e30f2a7cd8"

var order = Place{State: "chan_send", Function: "shop/order.ask", File: "/src/shop/order.go", Line: 88, Entry: "shop/order.ask"}

func (p Place) pairs(id string) []string {
	pairs := []string{
		telemetry.AttrLeakID, id, telemetry.AttrState, p.State, telemetry.AttrFunction, p.Function, telemetry.AttrFile, p.File,
		telemetry.AttrEntry, p.Entry, telemetry.AttrEntryFile, p.EntryFile,
	}
	if p.Line > 0 {
		pairs = append(pairs, telemetry.AttrLine, number(float64(p.Line)))
	}
	return pairs
}

// instance is the state of a process of the service shop.
type instance struct {
	name, build string
	version     string
	start       time.Time
	births      float64
	// severity is negative if there are no metrics about the leak.
	severity, leaked, rate float64
	at                     Place
	more                   []Point // of the same resource
}

// verdict is the verdict of the detector on the service as a whole.
type verdict struct{ severity, count, rate, instances float64 }

// rig is a Tracker with its changes so far.
type rig struct {
	t       *testing.T
	tracker *Tracker
	now     time.Time
	changes []Change
	// transport modifies the points of a batch on the way to the Tracker.
	transport func([]Point) []Point
}

func newRig(t *testing.T, c Config) *rig {
	return &rig{t: t, tracker: NewTracker(c), now: epoch}
}

// minute advances by a minute, and sends the metrics of instances and of the detector.
func (r *rig) minute(whole *verdict, instances ...instance) {
	r.now = r.now.Add(time.Minute)
	var points []Point
	for _, p := range instances {
		points = append(points, r.pointsOf(p)...)
	}
	if whole != nil {
		service := attributes("service.name", "shop")
		for metric, value := range map[string]float64{
			telemetry.ServiceLeakSeverity: whole.severity, telemetry.ServiceLeakCount: whole.count,
			telemetry.ServiceLeakGrowthRate: whole.rate, telemetry.ServiceLeakInstanceCount: whole.instances,
		} {
			points = append(points, Point{Metric: metric, Resource: service, Attributes: attributes(order.pairs(leakID)...), At: r.now, Value: value})
		}
	}
	r.deliver(points)
}

func (r *rig) deliver(points []Point) {
	if r.transport != nil {
		points = r.transport(points)
	}
	for _, p := range points {
		r.tracker.Observe(p)
	}
	r.changes = append(r.changes, r.tracker.Advance(r.now)...)
}

func (r *rig) pointsOf(p instance) []Point {
	resource := attributes("service.name", "shop", "service.instance.id", p.name, "service.version", p.version)
	points := []Point{{Metric: telemetry.GoroutineCreations, Start: p.start, Value: p.births}}
	if p.build != "" || p.version != "" {
		points = append(points, Point{Metric: telemetry.ProcessBuild, Attributes: attributes(telemetry.AttrBuildID, p.build), Value: 1})
	}
	if p.severity >= 0 {
		place := p.at
		if place == (Place{}) {
			place = order
		}
		values := map[string]float64{telemetry.LeakSeverity: p.severity, telemetry.LeakCount: p.leaked, telemetry.LeakGrowthRate: p.rate}
		if p.severity > 0 {
			values[telemetry.LeakStartTime] = float64(p.start.Unix())
			values[telemetry.LeakAgeMin] = 600
			values[telemetry.LeakExits] = 0
		}
		for metric, value := range values {
			points = append(points, Point{Metric: metric, Attributes: attributes(place.pairs(leakID)...), Value: value})
		}
	}
	points = append(points, p.more...)
	for i := range points {
		points[i].Resource = resource
		if points[i].At.IsZero() {
			points[i].At = r.now
		}
	}
	return points
}

// leak leaks one goroutine a minute in an instance, for some minutes.
func (r *rig) leak(p instance, minutes int) instance {
	for range minutes {
		p.leaked++
		p.births += 600
		r.minute(nil, p)
	}
	return p
}

// leaking returns an instance that has leaked for an hour.
func leaking(name, build string) instance {
	return instance{name: name, build: build, start: epoch.Add(-time.Hour), severity: 2, leaked: 50, rate: 60, births: 36_000}
}

// healthy returns a new process without the leak.
func (r *rig) healthy(name, build string) instance {
	return instance{name: name, build: build, start: r.now, severity: -1}
}

// kinds returns the kinds of the changes, in order.
func (r *rig) kinds() string {
	var all []string
	for _, c := range r.changes {
		kind := string(c.Kind)
		if c.Kind == Ended {
			kind += ":" + string(c.Finding.Reason)
		}
		all = append(all, kind)
	}
	return strings.Join(all, " ")
}

func (r *rig) only() Finding {
	r.t.Helper()
	all := r.tracker.Findings()
	if len(all) != 1 {
		r.t.Fatalf("%d findings", len(all))
	}
	return all[0]
}

// shuffled delivers the points of a batch in random order, some of them twice.
func shuffled(seed uint64) func([]Point) []Point {
	r := rand.New(rand.NewPCG(seed, 1))
	return func(points []Point) []Point {
		for i := range points {
			if r.IntN(4) == 0 {
				points = append(points, points[i])
			}
		}
		r.Shuffle(len(points), func(i, k int) { points[i], points[k] = points[k], points[i] })
		return points
	}
}

// asPrometheus renames metrics and attributes as Prometheus does by default, and moves the
// attributes of the resource to each point.
func asPrometheus(points []Point) []Point {
	for i, p := range points {
		for _, s := range sources {
			if s.name == p.Metric {
				points[i].Metric = strings.ReplaceAll(s.name, ".", "_") + s.suffix
			}
		}
		resource, own := p.Resource, p.Attributes
		points[i].Resource = attributes("job", "otelcol")
		points[i].Attributes = func(key string) string {
			if strings.Contains(key, ".") {
				return ""
			}
			for _, k := range allKeys() {
				if k.flat != key {
					continue
				}
				if own != nil && own(k.dotted) != "" {
					return own(k.dotted)
				}
				return resource(k.dotted)
			}
			return ""
		}
	}
	return points
}

func allKeys() []key {
	return []key{
		keyNamespace, keyServiceName, keyEnvironment, keyCluster, keyK8sNamespace, keyInstance, keyVersion, keyRevision, keyBuild,
		keyID, keyEndReason, keyState, keyFunction, keyFile, keyLine, keyEntry, keyEntryFile, keyMemoryType,
	}
}
