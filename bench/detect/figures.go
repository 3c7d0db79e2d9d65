package main

import (
	"fmt"
	"io"
	"math"
	"slices"
)

// figure is a required figure with its result.
type figure struct {
	what    string
	reached bool
	value   string
}

// late is the largest ratio of the time to the formula's, without agedAfter, of a leak that is in time.
const late = 1.3

// figures returns all figures.
func figures(t *tally, results [][]caseResult) []figure {
	census, calls := t.total[censusProbable], t.total[callsProbable]
	suspected, counts := t.total[countsSuspected], t.total[countsProbable]
	all := timingOf(results, censusProbable, everyLeak)
	alone, among := timingOf(results, censusProbable, isAlone), timingOf(results, censusProbable, isAmong)
	minute := t.rows[t.index("leak, 1 a minute")][callsProbable].timeTo(0.5)
	falsePositives, slow, interrupted := t.worst(results)
	replicas := timingOf(results[t.index(twentyFamily):][:1], censusProbable, everyLeak)
	deploys := timingOf(results[t.index(hourlyFamily):][:1], censusProbable, everyLeak)
	nights := timingOf(results[t.index(nightlyFamily):][:1], censusProbable, everyLeak)
	return []figure{
		atLeast("census, probable: precision", census.precision(), 0.997),
		atLeast("census, probable: recall", census.recall(), 0.995),
		atMost("census, probable: largest share of a healthy family", falsePositives, 0.05),
		atMost("census, suspected: false positive rate", t.total[censusSuspected].falsePositiveRate(), 0.03),
		atMost("census, probable: median time of leaks alone over the oracle's", alone.ratio(), 1.15),
		atMost("census, probable: median time of leaks among others over the oracle's", among.ratio(), 2.4),
		atMost("census, probable: largest such ratio of a family but the bursts each night", slow, 5),
		atMost("census, probable: hours until the slowest leak among others was found", among.slowest/hour, 72),
		atMost("census, probable: hours until half of the bursts each night were found, before the fourth", nights.median/hour, 72),
		atMost("census, probable: hours until all of them were, before the fifth", nights.slowest/hour, 96),
		atMost("census, probable: median hours of twenty replicas that leak 1.2 an hour", replicas.median/hour, 3),
		atMost("census, probable: median hours of one an hour under deploys every four", deploys.median/hour, 50),
		atMost("census, probable: share of leaks alone later than 1.3 times it and aged_after", share(alone.late, alone.timely), 0.08),
		atMost("census, probable: share of leaks whose flag was interrupted", share(all.interrupted, all.leaks), 0.005),
		atMost("census, probable: the same, largest of a family", interrupted, 0.005),
		atLeast("census, probable, max_lifetime 1h: precision", calls.precision(), 0.997),
		atLeast("census, probable, max_lifetime 1h: recall", calls.recall(), 0.995),
		atMost("census, probable, max_lifetime 1h: median minutes of a leak of 1 a minute", minute, 45),
		atLeast("counts, suspected: recall", suspected.recall(), 0.97),
		atMost("counts, suspected: false positive rate", suspected.falsePositiveRate(), 0.08),
		atLeast("counts, probable: precision", counts.precision(), 0.97),
	}
}

// worst returns, for probable with the census, the largest false positive rate of a healthy family, the largest ratio
// of a family's median to the oracle's, without bursts, and the largest share of interrupted flags in a family.
func (t *tally) worst(results [][]caseResult) (falsePositives, slow, interrupted float64) {
	for i := range t.families {
		s := t.rows[i][censusProbable]
		if s.leaks == 0 {
			falsePositives = max(falsePositives, s.falsePositiveRate())
			continue
		}
		if p := timingOf(results[i:i+1], censusProbable, inManySteps); p.leaks > 0 {
			slow = max(slow, p.ratio())
		}
		if p := timingOf(results[i:i+1], censusProbable, everyLeak); p.leaks > 0 {
			interrupted = max(interrupted, share(p.interrupted, p.leaks))
		}
	}
	return falsePositives, slow, interrupted
}

func (t *tally) index(name string) int {
	return slices.IndexFunc(t.families, func(f family) bool { return f.name == name })
}

func atLeast(what string, value, bound float64) figure {
	return figure{fmt.Sprintf("%s, at least %v", what, bound), value >= bound, ratio(value)}
}

func atMost(what string, value, bound float64) figure {
	return figure{fmt.Sprintf("%s, at most %v", what, bound), value <= bound, fmt.Sprintf("%.3f", math.Ceil(value*1000)/1000)}
}

func writeFigures(w io.Writer, all []figure) {
	for _, f := range all {
		verdict := "missed "
		if f.reached {
			verdict = "reached"
		}
		fmt.Fprintf(w, "%s  %9s  %s\n", verdict, f.value, f.what)
	}
}
