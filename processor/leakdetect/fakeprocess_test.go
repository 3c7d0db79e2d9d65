package leakdetect

import (
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// epoch is an arbitrary start time.
var epoch = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

func stamp(t time.Time) pcommon.Timestamp { return pcommon.NewTimestampFromTime(t) }

// group is a group of goroutines at one time.
type group struct {
	signature, function, entry string
	count, aged, exits         int
	leaked                     int
}

// leaking returns a group that has grown by perMinute goroutines since the epoch, without exits.
// Goroutines are aged after ten minutes.
func leaking(function, entry string, at time.Time, perMinute float64) group {
	minutes := at.Sub(epoch).Minutes()
	return group{
		signature: "sig-" + function,
		function:  function,
		entry:     entry,
		count:     int(perMinute * minutes),
		aged:      int(perMinute * max(0, minutes-10)),
	}
}

// steady returns a group of n aged goroutines.
func steady(function, entry string, n int) group {
	return group{signature: "sig-" + function, function: function, entry: entry, count: n, aged: n}
}

// fakeProcess generates the data of a process.
type fakeProcess struct {
	service string
	start   time.Time
	// flat selects Prometheus' spelling of names and keys.
	flat bool
}

func newFakeProcess(service string) fakeProcess { return fakeProcess{service: service, start: epoch} }

// batch returns a new batch with the process as its only resource.
func (s fakeProcess) batch() (pmetric.Metrics, pmetric.MetricSlice) {
	md := pmetric.NewMetrics()
	return md, s.resource(md)
}

// resource adds the process to a batch.
func (s fakeProcess) resource(md pmetric.Metrics) pmetric.MetricSlice {
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", s.service)
	rm.Resource().Attributes().PutStr("service.instance.id", s.service+"-1")
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName("example.com/receiver")
	return sm.Metrics()
}

// census returns a batch with a census of groups and entries, and the total.
func (s fakeProcess) census(at time.Time, groups ...group) pmetric.Metrics {
	md, metrics := s.batch()
	s.stacks(metrics, at, true, groups...)
	s.entries(metrics, at, groups...)
	s.total(metrics, at, telemetry.GoroutineCount, groups...)
	return md
}

// counts returns a batch without a census, as from a goroutine profile.
func (s fakeProcess) counts(at time.Time, groups ...group) pmetric.Metrics {
	md, metrics := s.batch()
	s.stacks(metrics, at, false, groups...)
	return md
}

func (s fakeProcess) stacks(metrics pmetric.MetricSlice, at time.Time, census bool, groups ...group) {
	count := s.level(metrics, telemetry.StackCount)
	for _, g := range groups {
		s.signature(s.point(count, at, g.count), g)
	}
	if !census {
		return
	}
	aged, exits := s.level(metrics, telemetry.StackAgedCount), s.counter(metrics, telemetry.StackAgedExits)
	for _, g := range groups {
		s.signature(s.point(aged, at, g.aged), g)
		s.signature(s.point(exits, at, g.exits), g)
	}
}

// leaks adds the leaked counts of groups, and the sum of all others, which is always present.
func (s fakeProcess) leaks(metrics pmetric.MetricSlice, at time.Time, groups ...group) {
	leaked := s.level(metrics, telemetry.StackLeakedCount)
	s.put(s.point(leaked, at, 0), telemetry.AttrSignature, telemetry.SignatureOther)
	for _, g := range groups {
		if g.leaked > 0 {
			s.signature(s.point(leaked, at, g.leaked), g)
		}
	}
}

func (s fakeProcess) entries(metrics pmetric.MetricSlice, at time.Time, groups ...group) {
	var order []string
	sums := make(map[string]group)
	for _, g := range groups {
		sum, seen := sums[g.entry]
		if !seen {
			order = append(order, g.entry)
		}
		sum.count, sum.aged, sum.exits = sum.count+g.count, sum.aged+g.aged, sum.exits+g.exits
		sums[g.entry] = sum
	}
	count := s.level(metrics, telemetry.EntryCount)
	aged := s.level(metrics, telemetry.EntryAgedCount)
	exits := s.counter(metrics, telemetry.EntryAgedExits)
	for _, entry := range order {
		for _, p := range []pmetric.NumberDataPoint{
			s.point(count, at, sums[entry].count), s.point(aged, at, sums[entry].aged), s.point(exits, at, sums[entry].exits),
		} {
			s.put(p, telemetry.AttrEntry, entry)
			if entry != telemetry.SignatureOther {
				s.put(p, telemetry.AttrEntryFile, "/src/app/entry.go")
			}
		}
	}
}

func (s fakeProcess) total(metrics pmetric.MetricSlice, at time.Time, name string, groups ...group) {
	n := 0
	for _, g := range groups {
		n += g.count
	}
	s.point(s.level(metrics, name), at, n)
}

func (s fakeProcess) level(metrics pmetric.MetricSlice, name string) pmetric.Metric {
	m := metrics.AppendEmpty()
	m.SetName(s.name(name))
	m.SetUnit(telemetry.UnitGoroutine)
	m.SetEmptySum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	return m
}

func (s fakeProcess) counter(metrics pmetric.MetricSlice, name string) pmetric.Metric {
	m := s.level(metrics, name)
	m.Sum().SetIsMonotonic(true)
	if s.flat {
		m.SetName(m.Name() + "_total")
	}
	return m
}

func (s fakeProcess) point(m pmetric.Metric, at time.Time, value int) pmetric.NumberDataPoint {
	p := m.Sum().DataPoints().AppendEmpty()
	p.SetTimestamp(stamp(at))
	p.SetStartTimestamp(stamp(s.start))
	p.SetIntValue(int64(value))
	return p
}

func (s fakeProcess) signature(p pmetric.NumberDataPoint, g group) {
	s.put(p, telemetry.AttrSignature, g.signature)
	s.put(p, telemetry.AttrState, "chan_receive")
	s.put(p, telemetry.AttrFunction, g.function)
	s.put(p, telemetry.AttrFile, "/src/app/main.go")
	p.Attributes().PutInt(s.name(telemetry.AttrLine), 42)
	s.put(p, telemetry.AttrEntry, g.entry)
}

func (s fakeProcess) put(p pmetric.NumberDataPoint, key, value string) {
	p.Attributes().PutStr(s.name(key), value)
}

func (s fakeProcess) name(dotted string) string {
	if !s.flat {
		return dotted
	}
	return flatten(dotted)
}

// sessions simulates goroutines with random start times and exponential lifetimes, and counts them
// every minute as a census does.
type sessions struct {
	random    *rand.Rand
	perMinute func(minute int) float64
	mean      time.Duration
	minute    int
	exits     int
	alive     []session
}

type session struct{ since, until float64 } // minutes

func newSessions(seed uint64, mean time.Duration, perMinute func(minute int) float64) *sessions {
	return &sessions{random: rand.New(rand.NewPCG(seed, 1)), perMinute: perMinute, mean: mean}
}

// next advances by a minute.
func (s *sessions) next() group {
	s.minute++
	now := float64(s.minute)
	for at := now - 1; ; {
		at += s.random.ExpFloat64() / s.perMinute(s.minute)
		if at > now {
			break
		}
		s.alive = append(s.alive, session{since: now, until: at + s.random.ExpFloat64()*s.mean.Minutes()})
	}
	g := group{signature: "sig-session", function: "app.session", entry: "app.serve"}
	alive := s.alive[:0]
	for _, one := range s.alive {
		old := now-one.since >= 10
		switch {
		case one.until > now && old:
			g.aged++
			alive = append(alive, one)
		case one.until > now:
			alive = append(alive, one)
		case now-1-one.since >= 10:
			s.exits++
		}
	}
	s.alive = alive
	g.count, g.exits = len(alive), s.exits
	return g
}
