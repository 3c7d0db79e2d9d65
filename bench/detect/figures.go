package main

import (
	"fmt"
	"io"
	"math"
	"slices"
)

// figure is what the project must reach, and what came out.
type figure struct {
	what    string
	reached bool
	value   string
}

// late is how much longer than by the formula it may take at most, agedAfter
// aside, and slower how much longer than the oracle in the median.
const (
	late   = 1.3
	slower = 1.4
)

// figures returns all of them.
func figures(t *tally, results [][]played) []figure {
	census, calls := t.total[censusProbable], t.total[callsProbable]
	suspected, counts := t.total[countsSuspected], t.total[countsProbable]
	p := pace(results, censusProbable)
	minute := t.rows[t.index("leak, 1 a minute")][callsProbable].timeTo(0.5)
	return []figure{
		atLeast("census, probable: precision", census.precision(), 0.995),
		atLeast("census, probable: recall", census.recall(), 0.99),
		atMost("census, probable: median time over the oracle's", p.median/p.oracle, slower),
		atMost("census, probable: leaks later than 1.3 times the formula and aged_after", float64(p.late), 0),
		atLeast("census, probable, max_lifetime 1h: precision", calls.precision(), 0.995),
		atLeast("census, probable, max_lifetime 1h: recall", calls.recall(), 0.99),
		atMost("census, probable, max_lifetime 1h: median minutes of a leak of 1 a minute", minute, 45),
		atLeast("counts, suspected: recall", suspected.recall(), 0.97),
		atMost("counts, suspected: false positive rate", suspected.falsePositiveRate(), 0.08),
		atLeast("counts, probable: precision", counts.precision(), 0.97),
	}
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
