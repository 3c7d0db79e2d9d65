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

// TestRulesInReadmeAreRules has Prometheus check what the README shows of them.
func TestRulesInReadmeAreRules(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	blocks := ruleBlock.FindAllSubmatch(readme, -1)
	require.Len(t, blocks, 1)
	file := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(file, blocks[0][1], 0o600))
	out, err := exec.CommandContext(t.Context(), "promtool", "check", "rules", file).CombinedOutput()
	assert.NoError(t, err, string(out))
}
