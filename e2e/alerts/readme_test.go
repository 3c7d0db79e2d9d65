package alerts

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var ruleBlock = regexp.MustCompile("(?s)```yaml\n(groups:.*?)```")

// ruleTest has a leak at a line, and one that is only known by its entry since it moves between lines.
const ruleTest = `
rule_files: [rules.yaml]
tests:
  - interval: 1m
    input_series:
      - series: 'goroutine_leak_severity{service_name="cart", service_instance_id="a:1", goroutine_state="chan_send", code_function_name="main.ask", code_file_path="/ask.go", code_line_number="95", goroutine_entry_function_name="main.ask"}'
        values: '2x10'
      - series: 'goroutine_leak_severity{service_name="cart", service_instance_id="a:1", goroutine_entry_function_name="main.poll"}'
        values: '2x10'
      - series: 'goroutine_leak_severity{service_name="shop", service_instance_id="b:1", goroutine_entry_function_name="main.poll"}'
        values: '1x10'
    alert_rule_test:
      - alertname: GoroutineLeakProbable
        eval_time: 5m
        exp_alerts:
          - exp_labels: {severity: warning, service_name: cart, goroutine_state: chan_send, code_function_name: main.ask, code_file_path: /ask.go, code_line_number: "95", goroutine_entry_function_name: main.ask}
            exp_annotations: {summary: "cart leaks goroutines of main.ask, in main.ask (/ask.go:95)"}
          - exp_labels: {severity: warning, service_name: cart, goroutine_entry_function_name: main.poll}
            exp_annotations: {summary: cart leaks goroutines of main.poll}
`

// TestRuleInReadme tests the rule in the README with promtool.
func TestRuleInReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	blocks := ruleBlock.FindAllSubmatch(readme, -1)
	require.Len(t, blocks, 1)
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "rules.yaml"), blocks[0][1], 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "test.yaml"), []byte(ruleTest), 0o600))
	out, err := exec.CommandContext(t.Context(), "promtool", "test", "rules", filepath.Join(folder, "test.yaml")).CombinedOutput()
	assert.NoError(t, err, string(out))
}
