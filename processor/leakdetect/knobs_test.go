package leakdetect

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadatatest"
)

// observeLogs replaces the processor of the rig by one whose log is observed.
func (r *rig) observeLogs(change ...func(*Config)) *observer.ObservedLogs {
	core, logs := observer.New(zap.InfoLevel)
	set := metadatatest.NewSettings(r.telemetry)
	set.Logger = zap.New(core)
	r.processor = r.create(set, change...)
	return logs
}

// whenProbable returns the time until a leak of one goroutine per minute is probable.
func whenProbable(t *testing.T, service string, change ...func(*Config)) time.Duration {
	s := newFakeProcess(service)
	after, _ := newRig(t, change...).play(5*time.Hour, "app.leak", probable, func(at time.Time) pmetric.Metrics {
		return s.census(at, leaking("app.leak", "app.main", at, 1))
	})
	return after
}

func TestOverrides(t *testing.T) {
	overrides := func(list ...Override) func(*Config) {
		return func(c *Config) { c.Overrides = list }
	}
	general := whenProbable(t, "shop")
	require.NotZero(t, general)
	short := Override{Service: "shop", MaxLifetime: time.Hour}
	sooner := whenProbable(t, "shop", overrides(short))
	assert.Less(t, sooner, general)
	assert.Equal(t, general, whenProbable(t, "cart", overrides(short)), "another service")
	byAttribute := Override{Attributes: map[string]string{"service.instance.id": "shop-1"}, MaxLifetime: time.Hour}
	assert.Equal(t, sooner, whenProbable(t, "shop", overrides(byAttribute)))
	assert.Equal(t, sooner, whenProbable(t, "shop", overrides(short, Override{Service: "shop", MinLeaked: 1000})), "the first applies")
	assert.Zero(t, whenProbable(t, "shop", overrides(Override{Service: "shop", MinLeaked: 1000})))
	longer := Override{Service: "shop", MaxLifetime: time.Hour, MinDuration: 2 * time.Hour}
	assert.Greater(t, whenProbable(t, "shop", overrides(longer)), 2*time.Hour)
}

func TestUnusedOverrideIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		logs := r.observeLogs(func(c *Config) {
			c.Overrides = []Override{{Service: "shop", MinLeaked: 5}, {Service: "shopp", MinLeaked: 5}}
		})
		s := newFakeProcess("shop")
		for range 60 {
			r.consume(s.census(time.Now(), steady("app.pool", "app.main", 4)))
			time.Sleep(time.Minute)
		}
		found := logs.FilterMessage("An override has matched no resource so far").All()
		require.Len(t, found, 1)
		assert.Equal(t, "overrides[1]", found[0].ContextMap()["setting"])
	})
}

func TestIgnore(t *testing.T) {
	for name, rule := range map[string]IgnoreRule{
		"function":  {Function: "app.leak"},
		"entry":     {Entry: "app.main"},
		"signature": {Signature: "sig-app.leak"},
		"all three": {Function: "app.leak", Entry: "app.main", Signature: "sig-app.leak"},
	} {
		t.Run(name, func(t *testing.T) {
			rule.Reason = "known"
			ignore := func(c *Config) { c.Ignore = []IgnoreRule{rule} }
			r, flat := newRig(t, ignore), newRig(t, ignore)
			s, f := newFakeProcess("shop"), newFakeProcess("shop")
			f.flat = true
			seen := false
			for after := time.Minute; after <= 3*time.Hour; after += time.Minute {
				at := epoch.Add(after)
				groups := []group{leaking("app.leak", "app.main", at, 3), leaking("app.other", "app.else", at, 3)}
				found := r.consume(s.census(at, groups...))
				require.Equal(t, -1, found.severity("app.leak"))
				require.Equal(t, -1, found.severity("app.main"))
				require.Equal(t, -1, flat.consume(f.census(at, groups...)).severity("app.leak"))
				seen = seen || found.severity("app.other") == probable
			}
			assert.True(t, seen)
		})
	}
}

func TestExpiredIgnoreRule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		r := newRig(t)
		logs := r.observeLogs(func(c *Config) {
			c.Ignore = []IgnoreRule{{Function: "app.leak", Reason: "until the deploy", Until: begin.Add(5 * time.Hour).Format(time.RFC3339)}}
		})
		s := newFakeProcess("shop")
		s.start = begin
		for range 6 * 60 {
			time.Sleep(time.Minute)
			now := time.Now()
			g := leaking("app.leak", "app.main", epoch.Add(now.Sub(begin)), 3)
			severity := r.consume(s.census(now, g)).severity("app.leak")
			if now.Sub(begin) < 5*time.Hour {
				require.Equal(t, -1, severity)
			} else {
				require.Equal(t, probable, severity)
			}
		}
		expired := logs.FilterMessage("An ignore rule has expired").All()
		require.Len(t, expired, 1)
		assert.Equal(t, "until the deploy", expired[0].ContextMap()["reason"])
	})
}

// inTenBatches distributes the points of a batch over ten batches.
func inTenBatches(md pmetric.Metrics) []pmetric.Metrics {
	batches := make([]pmetric.Metrics, 10)
	for i := range batches {
		batches[i] = pmetric.NewMetrics()
		md.CopyTo(batches[i])
		n := 0
		for _, m := range batches[i].ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
			m.Sum().DataPoints().RemoveIf(func(pmetric.NumberDataPoint) bool {
				n++
				return n%10 != i
			})
		}
	}
	return batches
}

// TestLeakInTenBatches splits each scrape into ten batches, without counts: each verdict is made with
// the next scrape, in a batch that need not contain the group.
func TestLeakInTenBatches(t *testing.T) {
	r := newRig(t)
	logs := r.observeLogs()
	s := newFakeProcess("shop")
	var flags []time.Time
	for minutes := range 200 {
		at := epoch.Add(time.Duration(minutes) * time.Minute)
		md := s.census(at, leaking("app.leak", "app.main", at, 1), steady("app.pool", "app.pool", 40))
		_, md = splitByName(md, telemetry.StackCount, telemetry.EntryCount, telemetry.GoroutineCount)
		for _, part := range inTenBatches(md) {
			for _, f := range r.consume(part) {
				if f.metric == telemetry.LeakSeverity {
					flags = append(flags, f.at)
					assert.Equal(t, "app.leak", valueOf(f.attributes, telemetry.AttrFunction))
					assert.InDelta(t, probable, f.value, 1)
				}
			}
		}
	}
	require.NotEmpty(t, flags)
	for i := range flags[1:] {
		require.Equal(t, time.Minute, flags[i+1].Sub(flags[i]), "once per minute")
	}
	assert.Len(t, logs.FilterMessage("Leak probable").All(), 1)
	r.assertBad(map[detect.Reason]int64{})
}

// TestEndOfFlag replaces the process of a leak, and checks the points and the log of its end.
func TestEndOfFlag(t *testing.T) {
	r := newRig(t)
	logs := r.observeLogs()
	s := newFakeProcess("shop")
	flagged, ok := r.play(3*time.Hour, "app.leak", probable, func(at time.Time) pmetric.Metrics {
		return s.census(at, leaking("app.leak", "app.main", at, 3))
	})
	require.True(t, ok)
	s.start = epoch.Add(flagged + 30*time.Second)
	var ended []pcommon.Map
	for i := range time.Duration(30) {
		r.sink.Reset()
		require.NoError(t, r.processor.ConsumeMetrics(t.Context(), s.census(epoch.Add(flagged+(i+1)*time.Minute), steady("app.pool", "app.pool", 4))))
		scope := r.sink.AllMetrics()[0].ResourceMetrics().At(0).ScopeMetrics().At(1)
		for _, m := range scope.Metrics().All() {
			switch m.Name() {
			case telemetry.LeakSeverity:
				p := m.Gauge().DataPoints().At(0)
				assert.Zero(t, p.IntValue())
				assert.Equal(t, "app.leak", valueOf(p.Attributes(), telemetry.AttrFunction))
			case telemetry.LeakEnded:
				for _, p := range m.Sum().DataPoints().All() {
					if p.IntValue() > 0 {
						assert.EqualValues(t, 1, p.IntValue())
						ended = append(ended, p.Attributes())
					}
				}
			}
		}
	}
	require.Len(t, ended, 30)
	assert.Equal(t, map[string]any{telemetry.AttrLeakEndReason: "process_gone"}, ended[0].AsRaw())
	lines := logs.FilterMessage("Leak ended").All()
	require.Len(t, lines, 1)
	assert.Equal(t, "process_gone", lines[0].ContextMap()["reason"])
	assert.Equal(t, "app.leak", lines[0].ContextMap()[telemetry.AttrFunction])
}
