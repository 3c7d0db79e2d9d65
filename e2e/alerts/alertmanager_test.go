package alerts

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

// alertmanager is an Alertmanager that sends alerts to a webhook.
type alertmanager struct {
	*process
	address string
}

// startAlertmanager starts an Alertmanager with the configuration in deploy and shorter times.
func startAlertmanager(t *testing.T, webhook string) *alertmanager {
	t.Helper()
	folder, address := t.TempDir(), loopback.FreeAddress(t)
	config := filepath.Join(folder, "alertmanager.yaml")
	require.NoError(t, os.WriteFile(config, scaledAlertmanager(t, webhook), 0o600))
	a := &alertmanager{address: address, process: startProcess(t, nil, "prometheus-alertmanager",
		"--config.file="+config,
		"--storage.path="+filepath.Join(folder, "data"),
		"--web.listen-address="+address,
		"--cluster.listen-address=", // no cluster
		"--log.level=warn",
	)}
	a.awaitReady(t)
	return a
}

func (a *alertmanager) awaitReady(t *testing.T) {
	t.Helper()
	awaitReady(t, "http://"+a.address+"/-/ready")
}

// scaledAlertmanager returns the configuration in deploy with shorter times, with all alerts sent to the
// webhook, and with separate groups for each Prometheus.
func scaledAlertmanager(t *testing.T, webhook string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(deploy, "prometheus", "alertmanager.yaml"))
	require.NoError(t, err)
	var config struct {
		Route        map[string]any   `yaml:"route"`
		Receivers    []map[string]any `yaml:"receivers"`
		InhibitRules []map[string]any `yaml:"inhibit_rules"`
	}
	require.NoError(t, yaml.Unmarshal(content, &config))
	config.Route["group_by"] = append(config.Route["group_by"].([]any), "via")
	config.Route["group_wait"] = "1s"
	config.Route["group_interval"] = "1s"
	for _, receiver := range config.Receivers {
		receiver["webhook_configs"] = []map[string]any{{"url": webhook, "send_resolved": true}}
	}
	for _, rule := range config.InhibitRules {
		rule["equal"] = append(rule["equal"].([]any), "via")
	}
	scaled, err := yaml.Marshal(config)
	require.NoError(t, err)
	return scaled
}
