package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// rulesOf validates a file of rules as Prometheus does, and returns their expressions.
func rulesOf(file string) ([]string, error) {
	groups, errs := rulefmt.ParseFile(file, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	var expressions []string
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			expressions = append(expressions, rule.Expr)
		}
	}
	return expressions, nil
}

// fill substitutes variables as Grafana does.
func fill(expression string) string {
	return os.Expand(expression, func(name string) string {
		if name == "__rate_interval" {
			return "5m"
		}
		return ".*"
	})
}

// expressionsOf returns the expressions of a dashboard's panels and variables.
func expressionsOf(file string) ([]string, error) {
	content, err := os.ReadFile(file) //nolint:gosec // it is what is to be checked
	if err != nil {
		return nil, err
	}
	var dashboard struct {
		Templating struct {
			List []struct {
				Query json.RawMessage `json:"query"`
			} `json:"list"`
		} `json:"templating"`
		Panels []struct {
			Targets []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	if err := json.Unmarshal(content, &dashboard); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var expressions []string
	for _, variable := range dashboard.Templating.List {
		var asked struct {
			Query string `json:"query"`
		}
		if json.Unmarshal(variable.Query, &asked) != nil {
			continue // the one that chooses the data source
		}
		expressions = append(expressions, fill(selectorOf(asked.Query)))
	}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			expressions = append(expressions, fill(target.Expr))
		}
	}
	return expressions, nil
}

// selectorOf returns the expression of label_values(<expression>, <label>), or of
// query_result(<expression>).
func selectorOf(query string) string {
	query = strings.TrimSuffix(query, ")")
	if inner, ok := strings.CutPrefix(query, "label_values("); ok {
		return inner[:max(0, strings.LastIndex(inner, ", "))]
	}
	return strings.TrimPrefix(query, "query_result(")
}
