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

// Values of the external label via, which identifies the Prometheus that sends an alert.
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

// otlpConfig sets the translation strategy of OTLP, and promotes the attributes that the rules use.
const otlpConfig = `
otlp:
  translation_strategy: %s
  promote_resource_attributes: [service.name, service.instance.id, service.namespace,
    deployment.environment.name, k8s.cluster.name, k8s.namespace.name]
`

// defaultNaming is the translation strategy that the rules assume by default.
const defaultNaming = "UnderscoreEscapingWithSuffixes"

// otherNamings are the other strategies that the mixin supports.
var otherNamings = []string{"UnderscoreEscapingWithoutSuffixes", "NoUTF8EscapingWithSuffixes", "NoTranslation"}

// resendDelay is the interval at which Prometheus resends an alert. Alertmanager resolves an alert after
// four times that, which is longer than Prometheus is down in a test, plus this delay.
const resendDelay = 25 * time.Second

// noAlertmanager starts a Prometheus without an Alertmanager.
const noAlertmanager = ""

// backend is a Prometheus or VictoriaMetrics.
type backend struct {
	*process
	address string
	// exporter is the configuration of the exporter that pushes to it.
	exporter string
}

// startPrometheus starts a Prometheus that scrapes targets, if any, and accepts remote write.
func startPrometheus(t *testing.T, via, rules, alertmanager string, targets ...string) *backend {
	t.Helper()
	config := fmt.Sprintf(prometheusConfig, via, rules, alertmanager, strings.Join(targets, ", "))
	b := runPrometheus(t, "prometheus", config, "--web.enable-remote-write-receiver")
	b.exporter = remoteWriteExporter
	return b
}

// hasOTLPPrometheus reports whether there is a Prometheus that accepts OTLP, and logs if not.
func hasOTLPPrometheus(t *testing.T) bool {
	t.Helper()
	_, err := os.Stat(newPrometheus)
	if err != nil {
		t.Logf("not by %s: Debian's Prometheus does not accept it, and there is no other (make prometheus builds one): %v", byOTLP, err)
	}
	return err == nil
}

// startOTLPPrometheus starts a Prometheus that accepts OTLP, unlike Debian's.
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
		// Pushed series have no staleness markers. They become stale at this age.
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

// startVictoriaMetrics starts a VictoriaMetrics, which accepts remote write.
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

// series is one series in the result of a query.
type series struct {
	Metric map[string]string `json:"metric"`
	Value  [2]any            `json:"value"`
	Values [][2]any          `json:"values"`
}

// query runs an instant query.
func (b *backend) query(t *testing.T, expr string) []series {
	t.Helper()
	all, err := b.ask("query", url.Values{"query": {expr}})
	require.NoError(t, err, expr)
	return all
}

// ask calls the query API. It returns the error of the API, if any.
func (b *backend) ask(path string, parameters url.Values) ([]series, error) {
	response, err := client.Get("http://" + b.address + "/api/v1/" + path + "?" + parameters.Encode())
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
		return nil, fmt.Errorf("%s: %s", parameters.Get("query"), answer.Error)
	}
	return answer.Data.Result, nil
}
