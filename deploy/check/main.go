// Command check parses alert rules and dashboards with the parsers of Prometheus 3 and VictoriaMetrics, which support
// names with dots, unlike Debian's promtool.
//
//	go -C deploy/check run . ../../bin/mixin/NoTranslation
//
// Each folder has prometheus/alerts.yaml and grafana/*.json. Both parsers must find the same names in every expression.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := check(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// check checks folders, and prints the number of expressions in each.
func check(folders []string) error {
	if len(folders) == 0 {
		return errors.New("no folders to check")
	}
	var errs []error
	for _, folder := range folders {
		rules, err := rulesOf(filepath.Join(folder, "prometheus", "alerts.yaml"))
		errs = append(errs, err)
		dashboards, err := filepath.Glob(filepath.Join(folder, "grafana", "*.json"))
		errs = append(errs, err)
		if len(dashboards) == 0 {
			errs = append(errs, fmt.Errorf("%s: no dashboards", folder))
		}
		panels := 0
		for _, file := range dashboards {
			expressions, err := expressionsOf(file)
			errs = append(errs, err)
			panels += len(expressions)
			rules = append(rules, expressions...)
		}
		for _, expression := range rules {
			if err := compare(expression); err != nil {
				errs = append(errs, fmt.Errorf("%s: %s: %w", folder, expression, err))
			}
		}
		fmt.Printf("%s: %d rules, %d expressions of dashboards\n", folder, len(rules)-panels, panels)
	}
	return errors.Join(errs...)
}
