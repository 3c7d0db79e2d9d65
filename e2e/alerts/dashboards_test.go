package alerts

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

// dashboard has the fields of a dashboard that the test reads.
type dashboard struct {
	UID           string `json:"uid"`
	SchemaVersion int    `json:"schemaVersion"`
	Templating    struct {
		List []variable `json:"list"`
	} `json:"templating"`
	Panels []panel `json:"panels"`
}

type variable struct {
	Name  string          `json:"name"`
	Type  string          `json:"type"`
	Query json.RawMessage `json:"query"`
}

type panel struct {
	Title   string `json:"title"`
	GridPos struct{ X, Y, W, H int }
	Targets []struct {
		Expr string `json:"expr"`
	} `json:"targets"`
}

// readDashboard renders a dashboard with the metric names of a translation strategy.
func readDashboard(t *testing.T, naming, file string) dashboard {
	t.Helper()
	var d dashboard
	require.NoError(t, json.Unmarshal(jsonnet(t, fmt.Sprintf("%s.grafanaDashboards[%q]", mixinWith(naming), file)), &d))
	require.GreaterOrEqual(t, d.SchemaVersion, 36, "the schema of Grafana 10")
	require.NotEmpty(t, d.UID)
	require.NotEmpty(t, d.Panels)
	for i, p := range d.Panels {
		require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
		require.NotEmpty(t, p.Targets, p.Title)
		for _, other := range d.Panels[:i] {
			require.False(t, overlap(p, other), "%s overlaps %s", p.Title, other.Title)
		}
	}
	return d
}

func overlap(one, other panel) bool {
	a, b := one.GridPos, other.GridPos
	return a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H
}

// watched has the services of the demo, each with the panels that are empty for it.
var watched = map[string][]string{
	"leaky":        append([]string{"Goroutines by scheduler state (needs instrument)", "Memory (needs instrument)", "CPU (needs instrument)"}, memoryLeakPanels...),
	"instrumented": append([]string{"Scrapes", "Failed scrapes"}, memoryLeakPanels...),
}

var memoryLeakPanels = []string{"Severity of memory", "Leaked memory", "Growth of memory per hour"}

// TestDashboardsShowTheDemo runs every query of both dashboards, with each value of each variable and with
// all values. If there is a Prometheus that accepts OTLP, it does so for each translation strategy.
func TestDashboardsShowTheDemo(t *testing.T) {
	t.Parallel()
	for naming, b := range startDemo(t) {
		fleet, service := readDashboard(t, naming, "fleet.json"), readDashboard(t, naming, "service.json")
		for name, empty := range watched {
			checkPanels(t, b, fleet, name, nil)
			checkPanels(t, b, service, name, empty)
		}
		checkPanels(t, b, fleet, all, nil)
		checkPanels(t, b, service, all, memoryLeakPanels)
	}
}

// all is the value that Grafana substitutes for "All".
const all = ".*"

// startDemo runs a scraped and an instrumented service, and returns a Prometheus for each translation
// strategy in which alerts about both fire.
func startDemo(t *testing.T) map[string]*backend {
	t.Helper()
	w := newCollector(t)
	backends := map[string]*backend{
		defaultNaming: startPrometheus(t, byScraping, renderRules(t, defaultNaming), noAlertmanager, w.metrics),
	}
	var pushTo []*backend
	if hasOTLPPrometheus(t) {
		for _, naming := range otherNamings {
			b := startOTLPPrometheus(t, naming, renderRules(t, naming), noAlertmanager)
			backends[naming] = b
			pushTo = append(pushTo, b)
		}
	}
	scraped := target{"leaky", loopback.FreeAddress(t)}
	startProcess(t, nil, build(t, filepath.Join(root, "examples", "leaky")), "-listen", scraped.address)
	w.watch(t, []target{scraped}, pushTo...)
	startProcess(t, []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + w.otlp,
		"OTEL_METRIC_EXPORT_INTERVAL=1000",
		"OTEL_SERVICE_NAME=instrumented",
		"OTEL_GO_GOROUTINE_INTERVAL=1s",
		"OTEL_GO_GOROUTINE_AGED_AFTER=5s",
		"OTEL_GO_GOROUTINE_OVERHEAD_BUDGET=0.1",
	}, build(t, filepath.Join(root, "examples", "instrumented")), "-listen", loopback.FreeAddress(t))
	for naming, b := range backends {
		await(t, 100*time.Second, "alerts about both services, "+naming, func() bool {
			return len(b.query(t, `count by (service_name) (ALERTS{alertname="GoroutineLeakProbable",alertstate="firing"})`)) == len(watched)
		})
	}
	return backends
}

// checkPanels runs the queries of a dashboard for a service, and checks which panels are empty.
func checkPanels(t *testing.T, b *backend, d dashboard, service string, empty []string) {
	t.Helper()
	chosen := map[string]string{}
	for _, v := range d.Templating.List {
		chosen[v.Name] = all
	}
	chosen["service"] = service
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		values := b.values(t, v, chosen)
		switch v.Name {
		case "service": // already chosen
			require.NotEmpty(t, values)
			continue
		case "instance", "signature":
			require.NotEmpty(t, values, "values of %s", v.Name)
		default: // other attributes of a service are not set
			require.Empty(t, values, "values of %s", v.Name)
		}
		for _, value := range values {
			chosen[v.Name] = value
			b.seriesOf(t, d, chosen)
		}
		chosen[v.Name] = all
	}
	for title, n := range b.seriesOf(t, d, chosen) {
		if slices.Contains(empty, title) {
			assert.Zero(t, n, "%s, %s, %q: unexpected data", d.UID, service, title)
		} else {
			assert.NotZero(t, n, "%s, %s, %q: no data", d.UID, service, title)
		}
	}
}

// values returns the values of a variable: label_values(metric, label), or the only label of
// query_result(expression).
func (b *backend) values(t *testing.T, v variable, chosen map[string]string) []string {
	t.Helper()
	var variable struct {
		Query string `json:"query"`
	}
	require.NoError(t, json.Unmarshal(v.Query, &variable))
	query := strings.TrimSuffix(variable.Query, ")")
	expression, found := strings.CutPrefix(query, "query_result(")
	if !found {
		inner, found := strings.CutPrefix(query, "label_values(")
		require.True(t, found, query)
		comma := strings.LastIndex(inner, ", ")
		expression = "group by (" + inner[comma+2:] + ") (" + inner[:comma] + ")"
	}
	var values []string
	for _, s := range b.query(t, fill(expression, chosen)) {
		// Grafana ignores series without the label.
		require.LessOrEqual(t, len(s.Metric), 1, expression)
		values = slices.AppendSeq(values, maps.Values(s.Metric))
	}
	return values
}

// seriesOf runs the queries of a dashboard for the last half minute, and returns for each panel the
// smallest number of series of its queries.
func (b *backend) seriesOf(t *testing.T, d dashboard, chosen map[string]string) map[string]int {
	t.Helper()
	least := make(map[string]int)
	for _, p := range d.Panels {
		for i, target := range p.Targets {
			expr := fill(target.Expr, chosen)
			require.NotContains(t, expr, "$", "a variable without a value")
			now := time.Now() // exact, since a leak may have been flagged in this second
			series, err := b.ask("query_range", url.Values{
				"query": {expr},
				"start": {now.Add(-30 * time.Second).Format(time.RFC3339Nano)},
				"end":   {now.Format(time.RFC3339Nano)},
				"step":  {"5"},
			})
			require.NoError(t, err, p.Title)
			if n := len(series); i == 0 || n < least[p.Title] {
				least[p.Title] = n
			}
		}
	}
	return least
}

// fill substitutes variables as Grafana does.
func fill(expr string, chosen map[string]string) string {
	return os.Expand(expr, func(name string) string {
		if name == "__rate_interval" {
			return "20s"
		}
		value, found := chosen[name]
		if !found {
			return "$" + name
		}
		return value
	})
}
