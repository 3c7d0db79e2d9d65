package healthy

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

const rules = `groups:
  - name: shop
    interval: 1s
    rules:
      - {record: shop:orders:rate, expr: 'sum by (shop) (rate(shop_orders_total[10s]))'}
      - {alert: Orders, expr: 'shop:orders:rate > 0', for: 1s}
`

// startPrometheus starts a Prometheus that scrapes itself and twenty targets, and evaluates rules.
func startPrometheus(t *testing.T) (string, []client) {
	t.Helper()
	listen, scraped := loopback.FreeAddress(t), backend(t)
	targets := make([]string, 20)
	for n := range targets {
		targets[n] = fmt.Sprintf("{targets: ['%s'], labels: {n: '%d'}}", scraped.Listener.Addr(), n)
	}
	config := file(t, "prometheus.yaml", fmt.Sprintf(`global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: ['%s']
scrape_configs:
  - {job_name: self, static_configs: [{targets: ['%s']}]}
  - {job_name: shop, static_configs: [%s]}
`, file(t, "rules.yaml", rules), listen, strings.Join(targets, ", ")))
	program(t, "prometheus", "http://"+listen+"/-/ready", "--config.file", config, "--storage.tsdb.path", t.TempDir(),
		"--web.listen-address", listen, "--web.enable-lifecycle", "--log.level", "error")
	base := "http://" + listen
	return listen, []client{
		asking("query", base, "/api/v1/query?query="+url.QueryEscape("sum(rate(shop_orders_total[30s]))"), 300*time.Millisecond),
		browsing("range", base, time.Second, func(ctx context.Context, b browser) error {
			now := time.Now().Unix()
			return b.get(ctx, fmt.Sprintf("/api/v1/query_range?query=%s&start=%d&end=%d&step=1", url.QueryEscape("shop:orders:rate"), now-60, now))
		}),
		asking("series", base, "/api/v1/series?match[]=shop_orders_total", time.Second),
		browsing("reload", base, 5*time.Second, func(ctx context.Context, b browser) error { return b.do(ctx, http.MethodPost, "/-/reload", "", "") }),
	}
}

// startAlertmanager starts an Alertmanager that sends to a webhook.
func startAlertmanager(t *testing.T) (string, []client) {
	t.Helper()
	listen := loopback.FreeAddress(t)
	config := file(t, "alertmanager.yaml", fmt.Sprintf(`route: {receiver: hook, group_by: [alertname], group_wait: 1s, group_interval: 2s, repeat_interval: 10s}
receivers: [{name: hook, webhook_configs: [{url: '%s/hook'}]}]
inhibit_rules: [{source_matchers: ['severity="critical"'], target_matchers: ['severity="warning"'], equal: [shop]}]
`, backend(t).URL))
	program(t, "alertmanager", "http://"+listen+"/-/ready", "--config.file", config, "--storage.path", t.TempDir(),
		"--web.listen-address", listen, "--cluster.listen-address=", "--log.level", "error")
	base := "http://" + listen
	return listen, []client{
		browsing("alert", base, 500*time.Millisecond, func(ctx context.Context, b browser) error {
			now := time.Now().UTC()
			return b.do(ctx, http.MethodPost, "/api/v2/alerts", "application/json",
				fmt.Sprintf(`[{"labels": {"alertname": "Slow%d", "shop": "%d", "severity": "warning"}, "endsAt": %q}]`,
					rand.IntN(20), rand.IntN(1000), now.Add(5*time.Second).Format(time.RFC3339)))
		}),
		asking("groups", base, "/api/v2/alerts/groups", time.Second),
		browsing("silence", base, 2*time.Second, func(ctx context.Context, b browser) error {
			now := time.Now().UTC()
			return b.do(ctx, http.MethodPost, "/api/v2/silences", "application/json",
				fmt.Sprintf(`{"matchers": [{"name": "shop", "value": "%d", "isRegex": false, "isEqual": true}], "createdBy": "me", "comment": "-", "startsAt": %q, "endsAt": %q}`,
					rand.IntN(1000), now.Format(time.RFC3339), now.Add(10*time.Second).Format(time.RFC3339)))
		}),
	}
}

// startVictoriaMetrics starts a VictoriaMetrics that scrapes, and is written to.
func startVictoriaMetrics(t *testing.T) (string, []client) {
	t.Helper()
	listen := loopback.FreeAddress(t)
	config := file(t, "scrape.yaml", fmt.Sprintf(`scrape_configs:
  - {job_name: shop, scrape_interval: 1s, static_configs: [{targets: ['%s', '%s']}]}
`, backend(t).Listener.Addr(), listen))
	program(t, "victoria-metrics", "http://"+listen+"/health", "-httpListenAddr", listen, "-storageDataPath", t.TempDir(),
		"-promscrape.config", config, "-loggerLevel", "ERROR")
	base := "http://" + listen
	return listen, []client{
		browsing("writer", base, 300*time.Millisecond, func(ctx context.Context, b browser) error {
			var body strings.Builder
			for n := range 100 {
				fmt.Fprintf(&body, "pushed{n=\"%d\"} %d\n", n, rand.IntN(100))
			}
			return b.do(ctx, http.MethodPost, "/api/v1/import/prometheus", "text/plain", body.String())
		}),
		asking("query", base, "/api/v1/query?query="+url.QueryEscape("sum(rate(shop_orders_total[30s]))"), 300*time.Millisecond),
		asking("range", base, "/api/v1/query_range?step=1s&query="+url.QueryEscape("max_over_time(pushed[10s])"), time.Second),
		asking("export", base, "/api/v1/export?match[]=pushed", 2*time.Second),
	}
}

// startCaddy starts a Caddy that is a proxy of a slow backend.
func startCaddy(t *testing.T) (string, []client) {
	t.Helper()
	listen, admin, behind := loopback.FreeAddress(t), loopback.FreeAddress(t), backend(t)
	config := file(t, "Caddyfile", fmt.Sprintf("{\n\tadmin %s\n\tauto_https off\n\tlog {\n\t\tlevel ERROR\n\t}\n}\nhttp://%s {\n\treverse_proxy %s\n}\n",
		admin, listen, behind.Listener.Addr()))
	program(t, "caddy", "http://"+listen+"/fast", "run", "--config", config)
	base := "http://" + listen
	return admin, []client{
		asking("visitor", base, "/fast", 200*time.Millisecond),
		asking("long poll", base, "/poll", 0),
		browsing("event stream", base, 0, func(ctx context.Context, b browser) error { return b.get(ctx, "/events") }),
	}
}
