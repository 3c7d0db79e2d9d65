package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

// timing has the times until leaks of goroutines were found, in minutes, and the limits.
type timing struct {
	median, oracle, formula float64 // medians
	slowest                 float64 // longest time of a found leak
	worst                   float64 // largest ratio of the time without agedAfter to the formula's
	late                    int     // leaks that exceeded the limit
	interrupted             int     // leaks whose flag was interrupted
	leaks, missed           int
	timely                  int // leaks with a formula
}

// ratio returns the ratio of the median to the oracle's.
func (p timing) ratio() float64 { return p.median / p.oracle }

// isAmong reports whether a leak is among healthy goroutines that exit, isAlone whether it is not.
func isAmong(l limits) bool { return l.mixed }
func isAlone(l limits) bool { return !l.mixed && !l.replica && inManySteps(l) }
func everyLeak(limits) bool { return true }

// inManySteps reports whether a leak does not come in a few bursts, which have figures of their own.
func inManySteps(l limits) bool { return !l.bursts }

// timingOf compares the times of one of our columns with the limits, for the leaks for which keep returns true. The time of
// a leak that was not found is infinite. Leaks that the formula does not expect within the run are not late.
func timingOf(results [][]caseResult, column int, keep func(limits) bool) timing {
	var times, oracles, formulas []float64
	var p timing
	for _, cases := range results {
		for _, c := range cases {
			if c.columns[column] == nil {
				continue
			}
			for i, l := range c.leaksOf(column) {
				if !l.goroutines || !keep(l) {
					continue
				}
				oracle, formula := l.of(column)
				found := orForever(c.columns[column].found[i])
				times = append(times, found)
				oracles = append(oracles, orForever(oracle))
				formulas = append(formulas, orForever(formula))
				if math.IsInf(found, 1) {
					p.missed++
				} else {
					p.slowest = max(p.slowest, found)
				}
				if c.columns[column].interrupted[i] {
					p.interrupted++
				}
				if formula != notFound {
					p.timely++
					p.worst = max(p.worst, (found-agedAfter)/formula)
					if found > late*formula+agedAfter {
						p.late++
					}
				}
			}
		}
	}
	p.leaks = len(times)
	p.median, p.oracle, p.formula = median(times), median(oracles), median(formulas)
	return p
}

func (l limits) of(column int) (oracle, formula float64) {
	if column == callsSuspected || column == callsProbable {
		return l.oracleCalls, l.formulaCalls
	}
	return l.oracle, l.formula
}

func orForever(minutes float64) float64 {
	if minutes == notFound {
		return math.Inf(1)
	}
	return minutes
}

// median returns the lower median, or NaN for no values.
func median(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	slices.Sort(x)
	return x[(len(x)-1)/2]
}

// writeTimings prints the times of each family of leaks.
func writeTimings(w io.Writer, all []family, results [][]caseResult, column int) {
	writeRow(w, "", []string{"median", "oracle", "ratio", "slowest", "formula", "worst", "late", "interr."})
	for i, f := range all {
		p := timingOf(results[i:i+1], column, everyLeak)
		if p.leaks == 0 {
			continue
		}
		writeRow(w, f.name, []string{
			minutes(p.median), minutes(p.oracle), fmt.Sprintf("%.2f", p.ratio()), minutes(p.slowest),
			minutes(p.formula), fmt.Sprintf("%.2f", p.worst), strconv.Itoa(p.late), strconv.Itoa(p.interrupted),
		})
	}
}
