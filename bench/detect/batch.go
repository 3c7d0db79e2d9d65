package main

import (
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// midnight is when the watching begins: a Monday, by the calendar of no family.
var midnight = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

func stamp(minute int) pcommon.Timestamp {
	return pcommon.NewTimestampFromTime(midnight.Add(time.Duration(minute) * time.Minute))
}

// batch is the data of one process at one time, as a receiver sends it. It is
// made once and written anew for each snapshot: only when a group begins or
// ceases to have a row, its points are made again.
type batch struct {
	process process
	series  *series
	census  bool
	name    string // of the instance

	data   pmetric.Metrics
	values []value
	rows   []bool // the groups that have points
	// entries are the groups' entries, each once, and whose they are.
	entries [][]int
}

// value is a point, and where what is written to it is found.
type value struct {
	point pmetric.NumberDataPoint
	at    func(snapshot int) int64
}

func newBatch(p process, s *series, instance int, census bool) *batch {
	b := &batch{process: p, series: s, census: census, name: "shop-" + strconv.Itoa(instance)}
	b.rows = make([]bool, len(p.groups))
	index := make(map[string]int)
	for i, g := range p.groups {
		e, known := index[g.entry]
		if !known {
			e = len(b.entries)
			index[g.entry] = e
			b.entries = append(b.entries, nil)
		}
		b.entries[e] = append(b.entries[e], i)
	}
	b.build()
	return b
}

// at returns the data of a snapshot. It is good until the next call.
func (b *batch) at(snapshot int) pmetric.Metrics {
	changed := false
	for g := range b.rows {
		if listed := b.series.groups[g].listed[snapshot]; listed != b.rows[g] {
			b.rows[g], changed = listed, true
		}
	}
	if changed {
		b.build()
	}
	now, start := stamp(b.series.minutes[snapshot]), stamp(b.series.starts[snapshot])
	for _, v := range b.values {
		v.point.SetTimestamp(now)
		v.point.SetStartTimestamp(start)
		v.point.SetIntValue(v.at(snapshot))
	}
	return b.data
}

// build makes the points of all rows.
func (b *batch) build() {
	b.data, b.values = pmetric.NewMetrics(), b.values[:0]
	rm := b.data.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "shop")
	rm.Resource().Attributes().PutStr("service.instance.id", b.name)
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName("example.com/receiver")
	b.buildStacks(sm.Metrics())
	b.buildEntries(sm.Metrics())
	b.add(newLevel(sm.Metrics(), telemetry.GoroutineCount, telemetry.UnitGoroutine), func(i int) int64 { return int64(b.series.total(i)) })
	memory := b.add(newLevel(sm.Metrics(), memoryMetric, telemetry.UnitBytes), func(i int) int64 { return int64(b.series.memory[i]) })
	memory.Attributes().PutStr("go.memory.type", "other")
}

// levels are the numbers of a census that a batch has: with counts alone, the
// first.
func (b *batch) levels() []func(*counted) []int32 {
	all := []func(*counted) []int32{
		func(c *counted) []int32 { return c.count },
		func(c *counted) []int32 { return c.aged },
		func(c *counted) []int32 { return c.exits },
	}
	if !b.census {
		return all[:1]
	}
	return all
}

func (b *batch) buildStacks(metrics pmetric.MetricSlice) {
	names := []string{telemetry.StackCount, telemetry.StackAgedCount, telemetry.StackAgedExits}
	for n, level := range b.levels() {
		m := newLevel(metrics, names[n], telemetry.UnitGoroutine)
		m.Sum().SetIsMonotonic(n == 2)
		for i, g := range b.process.groups {
			if !b.rows[i] {
				continue
			}
			numbers := level(&b.series.groups[i])
			identify(b.add(m, func(snapshot int) int64 { return int64(numbers[snapshot]) }), g)
		}
	}
}

func (b *batch) buildEntries(metrics pmetric.MetricSlice) {
	names := []string{telemetry.EntryCount, telemetry.EntryAgedCount, telemetry.EntryAgedExits}
	for n, level := range b.levels() {
		m := newLevel(metrics, names[n], telemetry.UnitGoroutine)
		m.Sum().SetIsMonotonic(n == 2)
		for _, members := range b.entries {
			if !b.listed(members) {
				continue
			}
			p := b.add(m, func(snapshot int) int64 {
				total := int64(0)
				for _, i := range members {
					total += int64(level(&b.series.groups[i])[snapshot])
				}
				return total
			})
			p.Attributes().PutStr(telemetry.AttrEntry, b.process.groups[members[0]].entry)
		}
	}
}

// listed tells whether any of the groups has points.
func (b *batch) listed(groups []int) bool {
	for _, i := range groups {
		if b.rows[i] {
			return true
		}
	}
	return false
}

func (b *batch) add(m pmetric.Metric, at func(int) int64) pmetric.NumberDataPoint {
	p := m.Sum().DataPoints().AppendEmpty()
	b.values = append(b.values, value{p, at})
	return p
}

// newLevel is a metric that says how many there are.
func newLevel(metrics pmetric.MetricSlice, name, unit string) pmetric.Metric {
	m := metrics.AppendEmpty()
	m.SetName(name)
	m.SetUnit(unit)
	m.SetEmptySum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	return m
}

// identify puts the signature of a group on a point.
func identify(p pmetric.NumberDataPoint, g group) {
	a := p.Attributes()
	a.PutStr(telemetry.AttrSignature, g.function) // as unlike each other as their hashes
	a.PutStr(telemetry.AttrState, g.state)
	a.PutStr(telemetry.AttrFunction, g.function)
	a.PutStr(telemetry.AttrFile, "/src/shop/main.go")
	a.PutInt(telemetry.AttrLine, 42)
	a.PutStr(telemetry.AttrEntry, g.entry)
}
