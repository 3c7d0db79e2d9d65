package leakdetect

import (
	"hash/fnv"
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// watched is what the name of a metric says of its points.
type watched struct {
	kind detect.Kind
	part detect.Part
	// metric is the name, where it is part of a group's identity: two
	// memory metrics of one process are two, two names of the number of its
	// goroutines are one.
	metric string
	// salt tells the groups of this kind, and of this metric, apart from all others.
	salt uint64
	// minLeaked is the least growth of a memory metric that is worth a flag.
	minLeaked float64
}

// watchedMetrics returns all metrics that are watched, by name.
func watchedMetrics(c *Config) map[string]watched {
	all := goroutineMetrics()
	for _, m := range c.Memory {
		all[m.Metric] = watched{
			kind:      detect.Memory,
			part:      detect.Count,
			metric:    m.Metric,
			salt:      salt("memory " + m.Metric),
			minLeaked: float64(m.MinLeaked),
		}
	}
	return all
}

// goroutineMetrics returns the goroutine metrics. Each is listed under
// its own name and under those that Prometheus makes of it: with dots or underscores,
// with or without the suffix of a counter. The units in braces add nothing to a name.
func goroutineMetrics() map[string]watched {
	all := make(map[string]watched)
	add := func(name string, w watched) {
		for _, n := range []string{name, strings.ReplaceAll(name, ".", "_")} {
			all[n] = w
			if w.part == detect.Exits {
				all[n+"_total"] = w
			}
		}
	}
	stack, entry, total := salt("stack"), entrySalt, salt("total")
	add(telemetry.StackAgedCount, watched{kind: detect.Stack, part: detect.Aged, salt: stack})
	add(telemetry.StackAgedExits, watched{kind: detect.Stack, part: detect.Exits, salt: stack})
	add(telemetry.StackLeakedCount, watched{kind: detect.Stack, part: detect.Leaked, salt: stack})
	add(telemetry.StackCount, watched{kind: detect.Stack, part: detect.Count, salt: stack})
	add(telemetry.EntryAgedCount, watched{kind: detect.Entry, part: detect.Aged, salt: entry})
	add(telemetry.EntryAgedExits, watched{kind: detect.Entry, part: detect.Exits, salt: entry})
	add(telemetry.EntryCount, watched{kind: detect.Entry, part: detect.Count, salt: entry})
	add(telemetry.GoroutineCount, watched{kind: detect.Total, part: detect.Count, salt: total})
	add(prometheusGoroutines, watched{kind: detect.Total, part: detect.Count, salt: total})
	return all
}

// prometheusGoroutines is what Prometheus' Go client calls the number of
// goroutines.
const prometheusGoroutines = "go_goroutines"

var entrySalt, serviceSalt = salt("entry"), salt("service")

func salt(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // never fails, says hash.Hash
	return h.Sum64()
}
