package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

// The wide service has many instances. Half of them push to each agent.
const (
	wideService    = "service-wide"
	wideInstances  = 200
	wideLeaksEvery = 200 * time.Millisecond
	wideInterval   = 2 * time.Second
	wideAgedAfter  = 5 * time.Second
)

// pushWide pushes the census of the instances of the wide service to the agents until stopWide is called.
func (s *tiers) pushWide(t *testing.T) {
	t.Helper()
	for _, agent := range s.agents {
		agent.awaitReady(t) // so that the first push is not lost
	}
	ctx, cancel := context.WithCancel(t.Context())
	var pushing sync.WaitGroup
	began := time.Now()
	for i, agent := range s.agents {
		pushing.Go(func() {
			client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
			again := time.NewTicker(wideInterval)
			defer again.Stop()
			for ctx.Err() == nil {
				if err := pushMetrics(ctx, client, "http://"+agent.otlp, wideCensus(i, began, time.Now())); ctx.Err() == nil {
					assert.NoError(t, err)
				}
				select {
				case <-again.C:
				case <-ctx.Done():
				}
			}
		})
	}
	s.stopWide = func() {
		cancel()
		pushing.Wait()
	}
	t.Cleanup(s.stopWide)
}

func pushMetrics(ctx context.Context, client *http.Client, to string, md pmetric.Metrics) error {
	body, err := pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to+"/v1/metrics", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return errors.Join(err, response.Body.Close())
}

// wideCensus returns the census of the instances that push to one agent.
func wideCensus(agent int, began, now time.Time) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for k := agent; k < wideInstances; k += agents {
		resource := md.ResourceMetrics().AppendEmpty()
		wideInstance(k, resource.Resource().Attributes())
		metrics := resource.ScopeMetrics().AppendEmpty().Metrics()
		// Instances leak in turn.
		offset := time.Duration(k) * wideLeaksEvery / wideInstances
		leaked := func(age time.Duration) int64 { return int64((max(age, 0) + offset) / wideLeaksEvery) }
		age := now.Sub(began)
		count, aged := leaked(age), leaked(age-wideAgedAfter)
		for _, kind := range []string{"stack", "entry"} {
			point := func(p pmetric.NumberDataPoint, value int64) pmetric.NumberDataPoint {
				p.SetTimestamp(pcommon.NewTimestampFromTime(now))
				p.SetStartTimestamp(pcommon.NewTimestampFromTime(began))
				p.SetIntValue(value)
				p.Attributes().PutStr("goroutine.entry.function.name", "main.takeOrder")
				if kind == "stack" {
					p.Attributes().PutStr("goroutine.stack.signature", "00000000000000aa")
					p.Attributes().PutStr("goroutine.state", "chan_receive")
					p.Attributes().PutStr("code.function.name", "main.awaitOrder")
					p.Attributes().PutStr("code.file.path", "/src/wide/order.go")
					p.Attributes().PutInt("code.line.number", 7)
				}
				return p
			}
			add := func(name string, monotonic bool) pmetric.NumberDataPoint {
				m := metrics.AppendEmpty()
				m.SetName("goroutine." + kind + "." + name)
				sum := m.SetEmptySum()
				sum.SetIsMonotonic(monotonic)
				sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
				return sum.DataPoints().AppendEmpty()
			}
			point(add("count", false), count)
			point(add("aged.count", false), aged).Attributes().PutDouble("goroutine.age.min", wideAgedAfter.Seconds())
			point(add("aged.exits", true), 0).Attributes().PutDouble("goroutine.age.min", wideAgedAfter.Seconds())
		}
	}
	return md
}

func wideInstance(k int, attributes pcommon.Map) {
	attributes.PutStr(resourceName, wideService)
	attributes.PutStr("service.instance.id", fmt.Sprintf("wide-%d", k))
}

// flaggedInstances returns the number of instances of a service that were flagged as probable.
func (s *tiers) flaggedInstances(t *testing.T, service string) int {
	t.Helper()
	instances := make(map[string]bool)
	for line := range wholeLines(t, s.flags) {
		md, err := new(pmetric.JSONUnmarshaler).UnmarshalMetrics(line)
		require.NoError(t, err)
		for _, resource := range md.ResourceMetrics().All() {
			attributes := resource.Resource().Attributes()
			if text(attributes, resourceName) != service {
				continue
			}
			for _, scope := range resource.ScopeMetrics().All() {
				for _, m := range scope.Metrics().All() {
					for _, p := range m.Gauge().DataPoints().All() {
						if p.IntValue() >= 2 {
							instances[text(attributes, "service.instance.id")] = true
						}
					}
				}
			}
		}
	}
	return len(instances)
}
