package alerts

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

const mib = 1 << 20

// level is a metric that a process pushes from its start on. If service is empty, the resource has no
// attributes.
type level struct {
	service, metric string
	unit            string
	attributes      map[string]any
	since           time.Time
	value           func(age time.Duration) int64
	delta           bool // delta temporality, which the detector cannot judge
}

func steady(n int64) func(time.Duration) int64 {
	return func(time.Duration) int64 { return n }
}

func grows(perMinute float64) func(time.Duration) int64 {
	return func(age time.Duration) int64 { return int64(perMinute * age.Minutes()) }
}

// memory returns go.memory.used of a service, as contrib's runtime reports it.
func memory(service, kind string, since time.Time, value func(time.Duration) int64) level {
	return level{service: service, metric: "go.memory.used", unit: "By", attributes: map[string]any{"go.memory.type": kind}, since: since, value: value}
}

// waiting returns the number of goroutines that wait for a reply, without their ages.
func waiting(since time.Time, value func(time.Duration) int64) level {
	return level{service: "unsure", metric: "goroutine.stack.count", unit: "{goroutine}", attributes: map[string]any{
		"goroutine.stack.signature":     "23674ceb13919c2c",
		"goroutine.state":               "chan_receive",
		"code.function.name":            "main.maybe",
		"code.file.path":                "/src/unsure/maybe.go",
		"code.line.number":              7,
		"goroutine.entry.function.name": "main.maybe",
	}, since: since, value: value}
}

// nameless returns the number of goroutines of a service without a service.name.
func nameless(since time.Time) level {
	return level{metric: "goroutine.stack.count", unit: "{goroutine}", attributes: map[string]any{"goroutine.stack.signature": "other"}, since: since, value: steady(3)}
}

// broken returns a level that the detector cannot judge.
func broken(since time.Time) level {
	l := memory("broken", "other", since, steady(1))
	l.delta = true
	return l
}

// add adds points of the level at the given times to a batch.
func (l level) add(md pmetric.Metrics, times ...time.Time) error {
	rm := md.ResourceMetrics().AppendEmpty()
	if l.service != "" {
		rm.Resource().Attributes().PutStr("service.name", l.service)
		rm.Resource().Attributes().PutStr("service.instance.id", l.service+"-1")
	}
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(l.metric)
	m.SetUnit(l.unit)
	sum := m.SetEmptySum()
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	if l.delta {
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	}
	for _, at := range times {
		p := sum.DataPoints().AppendEmpty()
		p.SetStartTimestamp(pcommon.NewTimestampFromTime(l.since))
		p.SetTimestamp(pcommon.NewTimestampFromTime(at))
		p.SetIntValue(l.value(at.Sub(l.since)))
		if err := p.Attributes().FromRaw(l.attributes); err != nil {
			return err
		}
	}
	return nil
}

// minutes returns the times since the start of the process, a minute apart.
func (l level) minutes() []time.Time {
	var times []time.Time
	for at := l.since; at.Before(time.Now()); at = at.Add(time.Minute) {
		times = append(times, at)
	}
	return times
}

// push sends collectors the past points of levels, and then a point a second until stop is called.
func push(t *testing.T, to []*collectorProcess, levels ...level) (stop func()) {
	t.Helper()
	past := pmetric.NewMetrics()
	for _, l := range levels {
		require.NoError(t, l.add(past, l.minutes()...))
	}
	for _, w := range to {
		require.NoError(t, w.push(past))
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- pushOn(ctx, to, levels) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	t.Cleanup(stop)
	return stop
}

func pushOn(ctx context.Context, to []*collectorProcess, levels []level) error {
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-again.C:
			md := pmetric.NewMetrics()
			for _, l := range levels {
				if err := l.add(md, now); err != nil {
					return err
				}
			}
			for _, w := range to {
				if err := w.push(md); err != nil {
					return err
				}
			}
		}
	}
}

// push sends metrics to the collector by OTLP.
func (w *collectorProcess) push(md pmetric.Metrics) error {
	body, err := pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
	if err != nil {
		return err
	}
	response, err := client.Post("http://"+w.otlp+"/v1/metrics", "application/x-protobuf", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("collector: %s", response.Status)
	}
	return nil
}
