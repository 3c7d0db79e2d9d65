package alerts

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

// via is the external label that tells from which Prometheus an alert comes.
const (
	byScraping    = "scraping"
	byRemoteWrite = "remote_write"
	byOTLP        = "otlp"
)

const prometheusConfig = `
global:
  scrape_interval: 1s
  evaluation_interval: 1s
  external_labels: {via: %[1]s}
rule_files: [%[2]s]
alerting:
  alertmanagers: [{static_configs: [{targets: [%[3]s]}]}]
scrape_configs: [{job_name: collector, honor_labels: true, static_configs: [{targets: [%[4]s]}]}]
`

// otlpConfig has what comes by OTLP get the labels that the rules use, and names of a
// strategy.
const otlpConfig = `
otlp:
  translation_strategy: %s
  promote_resource_attributes: [service.name, service.instance.id, service.namespace,
    deployment.environment.name, k8s.cluster.name, k8s.namespace.name]
`

// defaultNaming is the strategy that makes the names which the rules use by default, and
// otherNamings are the others that the mixin knows.
const defaultNaming = "UnderscoreEscapingWithSuffixes"

var otherNamings = []string{"UnderscoreEscapingWithoutSuffixes", "NoUTF8EscapingWithSuffixes", "NoTranslation"}

// resendDelay is how often an alert is sent. One that is not sent again ends after four
// times as long: more than the minute for which a Prometheus is down, and this delay.
const resendDelay = 25 * time.Second

// noAlertmanager is the address of none.
const noAlertmanager = ""

// backend is a server that has series: Prometheus, or VictoriaMetrics.
type backend struct {
	*process
	address string
	// exporter is what the collector needs to push to it.
	exporter string
}

// startPrometheus starts a Prometheus that scrapes targets, if there are any, and takes
// remote writes.
func startPrometheus(t *testing.T, via, rules, alertmanager string, targets ...string) *backend {
	t.Helper()
	config := fmt.Sprintf(prometheusConfig, via, rules, alertmanager, strings.Join(targets, ", "))
	b := runPrometheus(t, "prometheus", config, "--web.enable-remote-write-receiver")
	b.exporter = remoteWriteExporter
	return b
}

// hasOTLPPrometheus tells whether there is a Prometheus that takes OTLP, and logs if there
// is none.
func hasOTLPPrometheus(t *testing.T) bool {
	t.Helper()
	_, err := os.Stat(newPrometheus)
	if err != nil {
		t.Logf("not by %s: Debian's Prometheus does not take it, and there is no other (make prometheus builds one): %v", byOTLP, err)
	}
	return err == nil
}

// startOTLPPrometheus starts a Prometheus that takes OTLP, as that of Debian does not.
func startOTLPPrometheus(t *testing.T, naming, rules, alertmanager string) *backend {
	t.Helper()
	config := fmt.Sprintf(prometheusConfig, byOTLP, rules, alertmanager, "") + fmt.Sprintf(otlpConfig, naming)
	b := runPrometheus(t, newPrometheus, config, "--web.enable-otlp-receiver")
	b.exporter = otlpExporter
	return b
}

func runPrometheus(t *testing.T, program, config string, flags ...string) *backend {
	t.Helper()
	folder, address := t.TempDir(), loopback.FreeAddress(t)
	file := filepath.Join(folder, "prometheus.yaml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	b := &backend{address: address, process: startProcess(t, nil, program, append(flags,
		"--config.file="+file,
		"--storage.tsdb.path="+filepath.Join(folder, "data"),
		"--web.listen-address="+address,
		// What is pushed has no end: it is stale when it is this old.
		"--query.lookback-delta=15s",
		"--rules.alert.resend-delay="+resendDelay.String(),
		"--log.level=warn",
	)...)}
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
	b := &backend{address: loopback.FreeAddress(t), exporter: remoteWriteExporter}
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
