package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

// paced is how long leaks of goroutines took to be found, in minutes, and how long
// they must take.
type paced struct {
	median, oracle, formula float64 // medians
	worst                   float64 // largest time over the formula's, agedAfter aside
	late                    int     // leaks that took longer than they may
	leaks                   int
}

// pace compares the times of a column of ours with the limits. A leak that was
// not found took forever; one that the formula does not expect within the run is
// left out of it.
func pace(results [][]played, column int) paced {
	var times, oracles, formulas []float64
	var p paced
	for _, cases := range results {
		for _, c := range cases {
			if c.columns[column] == nil {
				continue
			}
			for i, l := range c.leaks {
				if !l.goroutines {
					continue
				}
				oracle, formula := l.of(column)
				found := orForever(c.columns[column].found[i])
				times = append(times, found)
				oracles = append(oracles, orForever(oracle))
				formulas = append(formulas, orForever(formula))
				if formula != notFound {
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
	if column >= callsSuspected {
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

// median is the lower one of two; NaN of nothing.
func median(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	slices.Sort(x)
	return x[(len(x)-1)/2]
}

// writePace prints the times of each family of leaks.
func writePace(w io.Writer, all []family, results [][]played, column int) {
	writeRow(w, "", []string{"median", "oracle", "formula", "worst", "late"})
	for i, f := range all {
		p := pace(results[i:i+1], column)
		if p.leaks == 0 {
			continue
		}
		writeRow(w, f.name, []string{
			minutes(p.median), minutes(p.oracle), minutes(p.formula), fmt.Sprintf("%.2f", p.worst), strconv.Itoa(p.late),
		})
	}
}
