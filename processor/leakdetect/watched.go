package leakdetect

import (
	"hash/fnv"
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// family is a set of metrics that describe the same thing.
type family uint8

const (
	stackFamily  family = iota // groups of goroutines by signature
	entryFamily                // groups of goroutines by entry
	totalFamily                // all goroutines of a process
	memoryFamily               // bytes
)

// parts are the numbers that make an observation, as a set; and one that comes with
// them.
type parts uint8

const (
	countPart parts = 1 << iota
	agedPart
	exitsPart
	leakedPart // a proof, which is no part of the observation

	censusParts = agedPart | exitsPart
	allParts    = countPart | censusParts
)

// watched is what the name of a metric says of its points.
type watched struct {
	family family
	part   parts
	// rank says when a metric is judged within a batch, the lowest first.
	// The census and proofs come before the count, so that a count without a
	// census is known to be one. Entries and totals come last: whether they are
	// flagged depends on what was seen of the stacks.
	rank uint8
	// metric is the name, where it is part of a stream's identity: two
	// memory metrics of one process are two streams, two names of the
	// number of its goroutines are one.
	metric string
	// salt tells the streams of this family, and of this metric, apart from
	// all others.
	salt uint64
	// rules are those that its streams are judged by.
	rules *growth.Rules
}

// watchedMetrics returns all metrics that are watched, by name.
func watchedMetrics(c *Config) map[string]watched {
	all := goroutineMetrics()
	rules := c.rules()
	for name, w := range all {
		w.rules = &rules
		all[name] = w
	}
	for _, m := range c.Memory {
		rules := c.memoryRules(m)
		all[m.Metric] = watched{
			family: memoryFamily,
			part:   countPart,
			metric: m.Metric,
			salt:   salt("memory " + m.Metric),
			rules:  &rules,
		}
	}
	return all
}

// goroutineMetrics returns the goroutine metrics, without rules. Each is listed under
// its own name and under those that Prometheus makes of it: with dots or underscores,
// with or without the suffix of a counter. The units in braces add nothing to a name.
func goroutineMetrics() map[string]watched {
	all := make(map[string]watched)
	add := func(name string, w watched) {
		for _, n := range []string{name, strings.ReplaceAll(name, ".", "_")} {
			all[n] = w
			if w.part == exitsPart {
				all[n+"_total"] = w
			}
		}
	}
	stack, entry, total := salt("stack"), entrySalt, salt("total")
	add(telemetry.StackAgedCount, watched{family: stackFamily, part: agedPart, salt: stack})
	add(telemetry.StackAgedExits, watched{family: stackFamily, part: exitsPart, salt: stack})
	add(telemetry.StackLeakedCount, watched{family: stackFamily, part: leakedPart, salt: stack})
	add(telemetry.StackCount, watched{family: stackFamily, part: countPart, rank: 1, salt: stack})
	add(telemetry.EntryAgedCount, watched{family: entryFamily, part: agedPart, rank: 2, salt: entry})
	add(telemetry.EntryAgedExits, watched{family: entryFamily, part: exitsPart, rank: 2, salt: entry})
	add(telemetry.EntryCount, watched{family: entryFamily, part: countPart, rank: 3, salt: entry})
	add(telemetry.GoroutineCount, watched{family: totalFamily, part: countPart, rank: 3, salt: total})
	add(prometheusGoroutines, watched{family: totalFamily, part: countPart, rank: 3, salt: total})
	return all
}

// prometheusGoroutines is what Prometheus' Go client calls the number of
// goroutines.
const prometheusGoroutines = "go_goroutines"

var entrySalt = salt("entry")

func salt(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // never fails, says hash.Hash
	return h.Sum64()
}
