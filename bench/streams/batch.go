package main

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// batchOf returns a report as metrics of the receiver. With deltas it only differs in the temporality, as
// delta_to_cumulative requires, which passes other metrics on.
func batchOf(r census.Report, at time.Time, deltas bool) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.namespace", "shop")
	rm.Resource().Attributes().PutStr("server.address", "10.0.0.5")
	rm.Resource().Attributes().PutInt("server.port", 6060)
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName("github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver")
	w := writer{metrics: sm.Metrics(), start: r.Start, at: at, deltas: deltas}
	stacks := make([]row, 0, len(r.Groups))
	for _, g := range r.Groups {
		stacks = append(stacks, row{g.Numbers, signatureAttributes(g.Signature)})
	}
	entries := make([]row, 0, len(r.Entries))
	for _, e := range r.Entries {
		attributes := pcommon.NewMap()
		attributes.PutStr(telemetry.AttrEntry, e.Function)
		attributes.PutStr(telemetry.AttrEntryFile, e.File)
		entries = append(entries, row{e.Numbers, attributes})
	}
	w.census(telemetry.EntryCount, telemetry.EntryAgedCount, telemetry.EntryAgedExits, r.Bounds, entries)
	w.census(telemetry.StackCount, telemetry.StackAgedCount, telemetry.StackAgedExits, r.Bounds, stacks)
	return md
}

func signatureAttributes(s stack.Signature) pcommon.Map {
	attributes := pcommon.NewMap()
	attributes.PutStr(telemetry.AttrSignature, s.ID.String())
	attributes.PutStr(telemetry.AttrState, string(s.State))
	attributes.PutStr(telemetry.AttrFunction, s.Blamed.Function)
	attributes.PutStr(telemetry.AttrFile, s.Blamed.File)
	attributes.PutInt(telemetry.AttrLine, int64(s.Blamed.Line))
	attributes.PutStr(telemetry.AttrEntry, s.Entry)
	return attributes
}

// row is a group or an entry.
type row struct {
	census.Numbers
	attributes pcommon.Map
}

// writer writes the metrics of a process at one time.
type writer struct {
	metrics   pmetric.MetricSlice
	start, at time.Time
	deltas    bool
}

func (w writer) census(count, aged, exits string, bounds [census.Bands]time.Duration, rows []row) {
	counts, ageds, exitses := w.metric(count, false), w.metric(aged, false), w.metric(exits, true)
	for _, r := range rows {
		w.point(counts, int64(r.Count), r.attributes)
		for i, b := range r.Bands {
			if b.SendAged {
				w.point(ageds, int64(b.Aged), r.attributes).PutDouble(telemetry.AttrAgeMin, bounds[i].Seconds())
			}
			if b.SendExits {
				w.point(exitses, b.Exits, r.attributes).PutDouble(telemetry.AttrAgeMin, bounds[i].Seconds())
			}
		}
	}
}

func (w writer) metric(name string, counter bool) pmetric.NumberDataPointSlice {
	m := w.metrics.AppendEmpty()
	m.SetName(name)
	m.SetUnit(telemetry.UnitGoroutine)
	sum := m.SetEmptySum()
	sum.SetIsMonotonic(counter || w.deltas)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	if w.deltas {
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	}
	return sum.DataPoints()
}

// point appends a point, and returns its attributes.
func (w writer) point(to pmetric.NumberDataPointSlice, value int64, attributes pcommon.Map) pcommon.Map {
	p := to.AppendEmpty()
	p.SetStartTimestamp(pcommon.NewTimestampFromTime(w.start))
	p.SetTimestamp(pcommon.NewTimestampFromTime(w.at))
	p.SetIntValue(value)
	attributes.CopyTo(p.Attributes())
	return p.Attributes()
}
