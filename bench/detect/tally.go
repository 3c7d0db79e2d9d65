package main

import "slices"

// tally is all scores: of each family and of all together, by column.
type tally struct {
	families []family
	rows     [][]*score // by family, then column; nil if the column was not asked
	total    []*score
}

// columns returns how many there are; the oracle's is the last.
func columns() int { return oursEnd + len(rivals()) + 1 }

// sumUp makes the scores of all cases.
func sumUp(all []family, results [][]played) *tally {
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

// oracle returns the outcome of the oracle, who is asked of leaks of goroutines
// only; nil if there is none.
func (p played) oracle() *outcome {
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
