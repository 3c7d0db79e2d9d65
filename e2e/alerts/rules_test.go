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

// keepFiring is how long an alert outlives its data: longer than a restart takes.
const keepFiring = 20 * time.Second

// testScale are the parameters of the mixin at the time scale of the tests.
var testScale = fmt.Sprintf(`{_config+:: {
	interval: '1s',
	limitFor: '15s',
	targetDownFor: '15s',
	keepFiringFor: '%v',
	unwatchedWindow: '15s',
}}`, keepFiring)

// renderRules renders the alert rules at the scale of the tests to a file. JSON is YAML.
func renderRules(t *testing.T) string {
	t.Helper()
	mixin, err := filepath.Abs(deploy)
	require.NoError(t, err)
	render := exec.CommandContext(t.Context(), "go", "-C", filepath.Join(root, "internal", "tools"), "tool", "jsonnet",
		"-J", mixin, "-e", "((import 'mixin.libsonnet') + "+testScale+").prometheusAlerts")
	rules, err := render.Output()
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "alerts.yaml")
	require.NoError(t, os.WriteFile(file, rules, 0o600))
	return file
}
