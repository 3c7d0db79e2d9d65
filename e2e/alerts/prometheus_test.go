package alerts

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// via is the external label that tells from which Prometheus an alert comes.
const (
	byScraping    = "scraping"
	byRemoteWrite = "remote_write"
)

const prometheusConfig = `
global:
  scrape_interval: 1s
  evaluation_interval: 1s
  external_labels: {via: %[1]s}
rule_files: [%[2]s]
alerting:
  alertmanagers: [{static_configs: [{targets: [%[3]s]}]}]
scrape_configs: %[4]s
`

// resendDelay is how often an alert is sent. One that is not sent again ends after four
// times as long: more than the minute for which a Prometheus is down, and this delay.
const resendDelay = 25 * time.Second

// noAlertmanager is the address of none.
const noAlertmanager = ""

// backend is a server that has series: Prometheus, or VictoriaMetrics.
type backend struct {
	*process
	address string
}

func (b *backend) remoteWrite() string { return "http://" + b.address + "/api/v1/write" }

// startPrometheus starts a Prometheus that scrapes a target, or none, and takes remote
// writes.
func startPrometheus(t *testing.T, via, rules, alertmanager, target string) *backend {
	t.Helper()
	folder, address := t.TempDir(), freeAddress(t)
	scrape := "[]"
	if target != "" {
		scrape = fmt.Sprintf("[{job_name: collector, honor_labels: true, static_configs: [{targets: [%q]}]}]", target)
	}
	config := filepath.Join(folder, "prometheus.yaml")
	content := fmt.Appendf(nil, prometheusConfig, via, rules, alertmanager, scrape)
	require.NoError(t, os.WriteFile(config, content, 0o600))
	b := &backend{address: address, process: startProcess(t, nil, "prometheus",
		"--config.file="+config,
		"--storage.tsdb.path="+filepath.Join(folder, "data"),
		"--web.listen-address="+address,
		"--web.enable-remote-write-receiver",
		// What is pushed has no end: it is stale when it is this old.
		"--query.lookback-delta=15s",
		"--rules.alert.resend-delay="+resendDelay.String(),
		"--log.level=warn",
	)}
	b.awaitReady(t)
	return b
}

func (b *backend) awaitReady(t *testing.T) {
	t.Helper()
	awaitReady(t, "http://"+b.address+"/-/ready")
}

// startVictoriaMetrics starts a backend of another make, which takes remote writes.
func startVictoriaMetrics(t *testing.T) *backend {
	t.Helper()
	b := &backend{address: freeAddress(t)}
	b.process = startProcess(t, nil, "victoria-metrics",
		"-storageDataPath="+t.TempDir(),
		"-httpListenAddr="+b.address,
		"-search.latencyOffset=1s", // instead of 30 s
		"-memory.allowedPercent=5",
	)
	awaitReady(t, "http://"+b.address+"/health")
	return b
}

// series is one that a query has returned: its labels and its latest value.
type series struct {
	Metric map[string]string `json:"metric"`
	Value  [2]any            `json:"value"`
	Values [][2]any          `json:"values"`
}

// query asks for the present.
func (b *backend) query(t *testing.T, expr string) []series {
	t.Helper()
	all, err := b.ask("query", url.Values{"query": {expr}})
	require.NoError(t, err, expr)
	return all
}

// ask calls the query API, and returns its error if the expression is wrong.
func (b *backend) ask(how string, with url.Values) ([]series, error) {
	response, err := client.Get("http://" + b.address + "/api/v1/" + how + "?" + with.Encode())
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Error string `json:"error"`
		Data  struct {
			Result []series `json:"result"`
		} `json:"data"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if answer.Error != "" {
		return nil, fmt.Errorf("%s: %s", with.Get("query"), answer.Error)
	}
	return answer.Data.Result, nil
}
