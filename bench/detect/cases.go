package main

import (
	"fmt"
	"io"
	"strings"
)

// writeCases lists the errors of our columns: leaks that were found late or not at all, and healthy groups that were
// flagged.
func writeCases(w io.Writer, all []family, results [][]caseResult) {
	h := heads()
	for f, cases := range results {
		for seed, c := range cases {
			for column, o := range c.columns[:oursEnd] {
				if o == nil {
					continue
				}
				name := strings.Join(h[column][:], " ")
				if o.falseAlarm {
					fmt.Fprintf(w, "%s, seed %d, %s: false alarm for %s at %s\n", all[f].name, seed, name, o.accused, minutes(o.at))
				}
				for i, found := range o.found {
					c.leaksOf(column)[i].writeCase(w, fmt.Sprintf("%s, seed %d, %s, leak %d", all[f].name, seed, name, i), column, found)
				}
			}
		}
	}
}

func (l limits) writeCase(w io.Writer, what string, column int, found float64) {
	_, formula := l.of(column)
	switch {
	case found == notFound:
		fmt.Fprintf(w, "%s: not found\n", what)
	case l.goroutines && formula != notFound && found > late*formula+agedAfter && column != countsSuspected && column != countsProbable:
		fmt.Fprintf(w, "%s: found after %s, formula %s\n", what, minutes(found), minutes(formula))
	}
}
