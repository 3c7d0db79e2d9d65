package alerts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// gap is how long an alert keeps firing without data. It is longer than a restart.
const gap = 20 * time.Second

// testScale has the parameters of the mixin at the time scale of the tests.
var testScale = fmt.Sprintf(`{_config+:: {
	interval: '1s',
	goroutineLimit: 1000,
	memoryLimitMiB: 100,
	grafanaURL: 'http://127.0.0.1:3000',
	limitFor: '15s',
	targetDownFor: '15s',
	gapFor: '%v',
	missingFor: '10m',
	failuresWindow: '15s',
}}`, gap)

// renderRules renders the alert rules at the scale of the tests, with the metric names of a translation
// strategy, to a file. JSON is YAML.
func renderRules(t *testing.T, naming string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "alerts.yaml")
	require.NoError(t, os.WriteFile(file, jsonnet(t, mixinWith(naming)+".prometheusAlerts"), 0o600))
	return file
}

// mixinWith returns the mixin at the scale of the tests, with the metric names of a translation strategy.
func mixinWith(naming string) string {
	return fmt.Sprintf("((import 'mixin.libsonnet') + %s + {_config+:: {translationStrategy: %q}})", testScale, naming)
}

// jsonnet evaluates an expression that may import files of deploy.
func jsonnet(t *testing.T, expression string) []byte {
	t.Helper()
	mixin, err := filepath.Abs(deploy)
	require.NoError(t, err)
	out, err := exec.CommandContext(t.Context(), "go", "-C", filepath.Join(root, "internal", "tools"), "tool", "jsonnet",
		"-J", mixin, "-e", expression).Output()
	require.NoError(t, err)
	return out
}
