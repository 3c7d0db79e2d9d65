package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// table returns the findings as lines, a header first.
func table(findings []finding) []string {
	rows := slices.SortedFunc(slices.Values(findings), worstFirst)
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	// Numbers stand to the right, which tabwriter does for all columns or none.
	const format = "%v\t%s\t%s\t%s\t%10s\t%8s\n"
	fmt.Fprintf(w, format, "SEVERITY", "STATE", "FUNCTION", "FILE:LINE", "GOROUTINES", "PER HOUR")
	for _, f := range rows {
		fmt.Fprintf(w, format, f.severity, cmp.Or(f.state, "-"), f.subject(), f.place(),
			fmt.Sprintf("%.0f", f.count), fmt.Sprintf("+%.0f", f.perHour))
	}
	_ = w.Flush() // a Builder never fails
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

// worstFirst orders findings by severity, then by number, then by name, so that
// rows that are alike do not change places.
func worstFirst(a, b finding) int {
	return cmp.Or(
		cmp.Compare(b.severity, a.severity),
		cmp.Compare(b.count, a.count),
		cmp.Compare(a.subject(), b.subject()),
		cmp.Compare(a.signature, b.signature),
	)
}
