package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/VictoriaMetrics/metricsql"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// compare parses an expression as PromQL and as MetricsQL, and compares the selectors and the grouping labels.
func compare(expression string) error {
	prometheus, err := ofPromQL(expression)
	if err != nil {
		return fmt.Errorf("PromQL: %w", err)
	}
	victoria, err := ofMetricsQL(expression)
	if err != nil {
		return fmt.Errorf("MetricsQL: %w", err)
	}
	slices.Sort(prometheus)
	slices.Sort(victoria)
	if !slices.Equal(prometheus, victoria) {
		return fmt.Errorf("PromQL has %q, MetricsQL has %q", prometheus, victoria)
	}
	return nil
}

// ofPromQL returns the matchers of each selector, and the labels of each grouping.
func ofPromQL(expression string) ([]string, error) {
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expression)
	if err != nil {
		return nil, err
	}
	var parts []string
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			parts = append(parts, selector(n.LabelMatchers, func(m *labels.Matcher) string {
				return m.Name + m.Type.String() + m.Value
			}))
		case *parser.AggregateExpr:
			parts = append(parts, grouping(n.Grouping))
		}
		return nil
	})
	return parts, nil
}

// ofMetricsQL is like ofPromQL, for MetricsQL.
func ofMetricsQL(expression string) ([]string, error) {
	parsed, err := metricsql.Parse(expression)
	if err != nil {
		return nil, err
	}
	var parts []string
	metricsql.VisitAll(parsed, func(e metricsql.Expr) {
		switch n := e.(type) {
		case *metricsql.MetricExpr:
			for _, filters := range n.LabelFilterss {
				parts = append(parts, selector(filters, func(f metricsql.LabelFilter) string {
					return f.Label + operator(f) + f.Value
				}))
			}
		case *metricsql.AggrFuncExpr:
			parts = append(parts, grouping(n.Modifier.Args))
		}
	})
	return parts, nil
}

func operator(f metricsql.LabelFilter) string {
	switch {
	case f.IsRegexp && f.IsNegative:
		return "!~"
	case f.IsRegexp:
		return "=~"
	case f.IsNegative:
		return "!="
	default:
		return "="
	}
}

func selector[M any](matchers []M, show func(M) string) string {
	shown := make([]string, len(matchers))
	for i, m := range matchers {
		shown[i] = show(m)
	}
	slices.Sort(shown)
	return "{" + strings.Join(shown, ",") + "}"
}

func grouping(names []string) string {
	return "by (" + strings.Join(slices.Sorted(slices.Values(names)), ",") + ")"
}
