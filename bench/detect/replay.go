package main

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect"
)

// alarm is what a detector says of a group, an entry or a metric at one minute.
type alarm struct {
	process  int
	who      string // empty is the process as a whole
	severity growth.Severity
	minute   int
}

// replay passes the data of processes, minute by minute, through the processor as
// its factory makes it, and reports what it flags.
func replay(processes []process, all []*series, census bool, maxLifetime time.Duration, report func(alarm)) error {
	out := &sink{report: report}
	p, err := newProcessor(out, maxLifetime)
	if err != nil {
		return err
	}
	ctx := context.Background()
	if err := p.Start(ctx, componenttest.NewNopHost()); err != nil {
		return err
	}
	batches := make([]*batch, len(all))
	for i := range all {
		batches[i] = newBatch(processes[i], all[i], i, census)
	}
	next := make([]int, len(all)) // snapshot of each
	for minute := 0; ; minute++ {
		done := true
		for i, s := range all {
			if next[i] == len(s.minutes) {
				continue
			}
			done = false
			if s.minutes[next[i]] != minute {
				continue
			}
			out.process, out.minute = i, minute
			if err := p.ConsumeMetrics(ctx, batches[i].at(next[i])); err != nil {
				return err
			}
			next[i]++
		}
		if done {
			return p.Shutdown(ctx)
		}
	}
}

func newProcessor(out consumer.Metrics, maxLifetime time.Duration) (processor.Metrics, error) {
	factory := leakdetect.NewFactory()
	cfg, ok := factory.CreateDefaultConfig().(*leakdetect.Config)
	if !ok {
		return nil, errors.New("the factory's configuration is of another type")
	}
	cfg.MaxLifetime = maxLifetime
	return factory.CreateMetrics(context.Background(), processortest.NewNopSettings(factory.Type()), cfg, out)
}

// sink takes what comes out of the processor, for one batch at a time. It takes
// the findings out again, so that the batch can be used for the next snapshot.
type sink struct {
	process, minute int
	report          func(alarm)
}

func (*sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: true} }

func (s *sink) ConsumeMetrics(_ context.Context, md pmetric.Metrics) error {
	scopes := md.ResourceMetrics().At(0).ScopeMetrics()
	if scopes.Len() == 1 {
		return nil
	}
	first := true
	scopes.RemoveIf(func(sm pmetric.ScopeMetrics) bool {
		if first { // our own data
			first = false
			return false
		}
		for _, m := range sm.Metrics().All() {
			s.read(m)
		}
		return true
	})
	return nil
}

// read reports the severities of a metric, if it has them.
func (s *sink) read(m pmetric.Metric) {
	if m.Name() != telemetry.LeakSeverity && m.Name() != telemetry.MemoryLeakSeverity {
		return
	}
	for _, p := range m.Gauge().DataPoints().All() {
		if severity := growth.Severity(p.IntValue()); severity > growth.None {
			s.report(alarm{s.process, who(p.Attributes()), severity, s.minute})
		}
	}
}

// who names what a finding is about: a memory metric, a group by its function, or
// an entry.
func who(attributes pcommon.Map) string {
	for _, key := range []string{telemetry.AttrLeakMetric, telemetry.AttrFunction, telemetry.AttrEntry} {
		if v, ok := attributes.Get(key); ok {
			return v.Str()
		}
	}
	return ""
}
