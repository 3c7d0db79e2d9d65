package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	goodRules = `
groups:
  - name: leaks
    rules:
      - alert: Leak
        expr: 'max by ("service.name") ({"goroutine.leak.severity","service.name"=~"c.*"}) >= 2'
        annotations: {summary: '{{ index $labels "service.name" }} leaks'}
`
	goodDashboard = `{
  "templating": {"list": [
    {"query": "prometheus"},
    {"query": {"query": "label_values(go_goroutine_count{service_name=~\"$service\"}, service_name)"}},
    {"query": {"query": "query_result(group by (\"service.name\") ({\"go.goroutine.count\"}))"}}
  ]},
  "panels": [{"targets": [{"expr": "sum by (job) (rate(goroutine_creations_total{service_name=~\"$service\"}[$__rate_interval]))"}]}]
}`
)

// folder writes rules and a dashboard to a folder for check.
func folder(t *testing.T, rules, dashboard string) string {
	t.Helper()
	f := t.TempDir()
	for file, content := range map[string]string{"prometheus/alerts.yaml": rules, "grafana/service.json": dashboard} {
		path := filepath.Join(f, filepath.FromSlash(file))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		if content != "" {
			require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		}
	}
	return f
}

func TestCheck(t *testing.T) {
	tests := []struct{ name, rules, dashboard, want string }{
		{"sound", goodRules, goodDashboard, ""},
		{"no rules", "", goodDashboard, "alerts.yaml"},
		{"no dashboards", goodRules, "", "no dashboards"},
		{"no JSON", goodRules, "{", "service.json"},
		{"unknown key", strings.Replace(goodRules, "alert:", "allert:", 1), goodDashboard, "allert"},
		{"unknown variable in a template", strings.Replace(goodRules, "$labels", "$lables", 1), goodDashboard, "$lables"},
		{"no PromQL", strings.Replace(goodRules, ">= 2", ">= ", 1), goodDashboard, "parse error"},
		{"no PromQL in a panel", goodRules, strings.Replace(goodDashboard, "sum by", "sum bye", 1), "PromQL"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := check([]string{folder(t, test.rules, test.dashboard)})
			if test.want == "" {
				require.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, test.want)
			}
		})
	}
	require.ErrorContains(t, check(nil), "no folders")
}

// TestCompare checks expressions that both languages parse alike, and some that compare refuses.
func TestCompare(t *testing.T) {
	for _, expression := range []string{
		`go_goroutine_count`,
		`sum by (job, "service.name") ({"a.b",c!="d","e.f"!~"g"} offset 5m)`,
		`topk(20, sum by (a) (rate(b{c=~"d"}[5m] @ end())))`,
		`absent({"go.goroutine.count"})`,
	} {
		require.NoError(t, compare(expression), expression)
	}
	require.ErrorContains(t, compare(`a.b`), "PromQL", "names with dots must be quoted")
	assert.ErrorContains(t, compare(`info(a)`), "PromQL", "experimental functions are disabled")
}
