package leakdetect

import (
	"hash/fnv"
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// watchedMetric describes a watched metric.
type watchedMetric struct {
	kind detect.Kind
	part detect.Part
	// metric is the name of a memory metric, which is part of the identity of its groups. It
	// is empty for goroutine metrics, which have several names.
	metric string
	// salt is part of the IDs of groups. It differs between kinds and between memory metrics.
	salt uint64
}

// watchedMetrics returns all watched metrics by name.
func watchedMetrics(c *Config) map[string]watchedMetric {
	all := goroutineMetrics()
	for _, m := range c.Memory {
		all[m.Metric] = watchedMetric{
			kind:   detect.Memory,
			part:   detect.Count,
			metric: m.Metric,
			salt:   saltOf("memory " + m.Metric),
		}
	}
	return all
}

// goroutineMetrics returns the goroutine metrics by name, including their names in Prometheus: with
// dots or underscores, with or without the suffix of a counter. Units in braces add no suffix.
func goroutineMetrics() map[string]watchedMetric {
	all := make(map[string]watchedMetric)
	add := func(name string, w watchedMetric) {
		for _, n := range []string{name, strings.ReplaceAll(name, ".", "_")} {
			all[n] = w
			if w.part == detect.Exits {
				all[n+"_total"] = w
			}
		}
	}
	stack, entry, total := saltOf("stack"), entrySalt, saltOf("total")
	add(telemetry.StackAgedCount, watchedMetric{kind: detect.Stack, part: detect.Aged, salt: stack})
	add(telemetry.StackAgedExits, watchedMetric{kind: detect.Stack, part: detect.Exits, salt: stack})
	add(telemetry.StackLeakedCount, watchedMetric{kind: detect.Stack, part: detect.Leaked, salt: stack})
	add(telemetry.StackCount, watchedMetric{kind: detect.Stack, part: detect.Count, salt: stack})
	add(telemetry.EntryAgedCount, watchedMetric{kind: detect.Entry, part: detect.Aged, salt: entry})
	add(telemetry.EntryAgedExits, watchedMetric{kind: detect.Entry, part: detect.Exits, salt: entry})
	add(telemetry.EntryCount, watchedMetric{kind: detect.Entry, part: detect.Count, salt: entry})
	add(telemetry.GoroutineCount, watchedMetric{kind: detect.Total, part: detect.Count, salt: total})
	add(prometheusGoroutines, watchedMetric{kind: detect.Total, part: detect.Count, salt: total})
	return all
}

// prometheusGoroutines is the number of goroutines in Prometheus' Go client.
const prometheusGoroutines = "go_goroutines"

var entrySalt, serviceSalt = saltOf("entry"), saltOf("service")

func saltOf(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // never fails, says hash.Hash
	return h.Sum64()
}
