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

// dashboard is what the test reads of one.
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

// readDashboard reads one with the names of a strategy.
func readDashboard(t *testing.T, naming, file string) dashboard {
	t.Helper()
	var d dashboard
	require.NoError(t, json.Unmarshal(jsonnet(t, fmt.Sprintf("%s.grafanaDashboards[%q]", mixinWith(naming), file)), &d))
	require.GreaterOrEqual(t, d.SchemaVersion, 36, "that of Grafana 10")
	require.NotEmpty(t, d.UID)
	require.NotEmpty(t, d.Panels)
	for i, p := range d.Panels {
		require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
		require.NotEmpty(t, p.Targets, p.Title)
		for _, other := range d.Panels[:i] {
			require.False(t, overlap(p, other), "%s lies on %s", p.Title, other.Title)
		}
	}
	return d
}

func overlap(one, other panel) bool {
	a, b := one.GridPos, other.GridPos
	return a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H
}

// The services of the demonstration, and the panels that have nothing to show for one,
// since nobody measures it there, or it does not leak.
var watched = map[string][]string{
	"leaky":        append([]string{"Goroutines by scheduler state (needs instrument)", "Memory (needs instrument)", "CPU (needs instrument)"}, ofMemoryLeaks...),
	"instrumented": append([]string{"Scrapes", "Failed scrapes"}, ofMemoryLeaks...),
}

var ofMemoryLeaks = []string{"Severity of memory", "Leaked memory", "Growth of memory per hour"}

// TestDashboardsShowTheDemo asks a Prometheus every question of both dashboards, with
// every variable filled in: with each value by itself, and with all of them. Where there is
// a Prometheus that takes OTLP, it is asked by each naming.
func TestDashboardsShowTheDemo(t *testing.T) {
	t.Parallel()
	for naming, b := range filledByTheDemo(t) {
		fleet, service := readDashboard(t, naming, "fleet.json"), readDashboard(t, naming, "service.json")
		for name, empty := range watched {
			ask(t, b, fleet, name, nil)
			ask(t, b, service, name, empty)
		}
		ask(t, b, fleet, all, nil)
		ask(t, b, service, all, ofMemoryLeaks)
	}
}

// all is what Grafana fills in for "All".
const all = ".*"

// filledByTheDemo returns the Prometheus of each naming, in which the leaks of a service
// that is scraped and of one that reports by itself are flagged, and alerts about both
// fire.
func filledByTheDemo(t *testing.T) map[string]*backend {
	t.Helper()
	w := planCollector(t)
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
		await(t, 100*time.Second, "both services leak, by "+naming, func() bool {
			return len(b.query(t, `count by (service_name) (ALERTS{alertname="GoroutineLeakProbable",alertstate="firing"})`)) == len(watched)
		})
	}
	return backends
}

// ask asks what a dashboard asks about a service.
func ask(t *testing.T, b *backend, d dashboard, service string, empty []string) {
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
		case "service": // that is chosen
			require.NotEmpty(t, values)
			continue
		case "instance", "signature":
			require.NotEmpty(t, values, "values of %s", v.Name)
		default: // nobody sets what a service is told apart by beside its name
			require.Empty(t, values, "values of %s", v.Name)
		}
		for _, value := range values {
			chosen[v.Name] = value
			b.answers(t, d, chosen)
		}
		chosen[v.Name] = all
	}
	for title, n := range b.answers(t, d, chosen) {
		if slices.Contains(empty, title) {
			assert.Zero(t, n, "%s, %s, %q: nobody measures that, or it does not leak", d.UID, service, title)
		} else {
			assert.NotZero(t, n, "%s, %s, %q: no data", d.UID, service, title)
		}
	}
}

// values returns what a variable offers: label_values(metric, label), or the one label of
// query_result(expression).
func (b *backend) values(t *testing.T, v variable, chosen map[string]string) []string {
	t.Helper()
	var asked struct {
		Query string `json:"query"`
	}
	require.NoError(t, json.Unmarshal(v.Query, &asked))
	asked.Query = strings.TrimSuffix(asked.Query, ")")
	expression, found := strings.CutPrefix(asked.Query, "query_result(")
	if !found {
		inner, found := strings.CutPrefix(asked.Query, "label_values(")
		require.True(t, found, asked.Query)
		comma := strings.LastIndex(inner, ", ")
		expression = "group by (" + inner[comma+2:] + ") (" + inner[:comma] + ")"
	}
	var values []string
	for _, one := range b.query(t, fill(expression, chosen)) {
		// Grafana offers no values of a label that is absent.
		require.LessOrEqual(t, len(one.Metric), 1, expression)
		values = slices.AppendSeq(values, maps.Values(one.Metric))
	}
	return values
}

// answers asks every question of a dashboard for the last half minute, and returns the
// least number of series that any of a panel's has for an answer.
func (b *backend) answers(t *testing.T, d dashboard, chosen map[string]string) map[string]int {
	t.Helper()
	least := make(map[string]int)
	for _, p := range d.Panels {
		for i, target := range p.Targets {
			expr := fill(target.Expr, chosen)
			require.NotContains(t, expr, "$", "a variable that is not filled in")
			now := time.Now() // to the moment: a leak may have been flagged in this second
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

// fill fills in variables as Grafana does.
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
