package main

import "slices"

// tally has the scores of each family and of all cases, by column.
type tally struct {
	families []family
	rows     [][]*score // by family, then column; nil if the column does not apply
	total    []*score
}

// columns returns the number of columns. The oracle's is the last.
func columns() int { return oursEnd + len(rivals()) + 1 }

// sumUp returns the scores of all cases.
func sumUp(all []family, results [][]caseResult) *tally {
	t := &tally{families: all}
	for range columns() {
		t.total = append(t.total, &score{})
	}
	for _, cases := range results {
		row := make([]*score, columns())
		for _, c := range cases {
			for i, o := range append(slices.Clone(c.columns), c.oracle()) {
				if o == nil {
					continue
				}
				if row[i] == nil {
					row[i] = &score{}
				}
				row[i].add(*o)
				t.total[i].add(*o)
			}
		}
		t.rows = append(t.rows, row)
	}
	return t
}

// oracle returns the outcome of the oracle, which applies to leaks of goroutines only; nil without such a leak.
func (p caseResult) oracle() *outcome {
	var o *outcome
	for _, l := range p.leaks {
		if !l.goroutines {
			continue
		}
		if o == nil {
			o = &outcome{}
		}
		o.found = append(o.found, l.oracle)
	}
	return o
}
