package alerts

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRecipesAreValid validates the configuration in each recipe with the collector, and checks that each
// recipe has an alert.
func TestRecipesAreValid(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root, "docs", "recipes", "*.md"))
	require.NoError(t, err)
	pages = slices.DeleteFunc(pages, func(page string) bool { return filepath.Base(page) == "README.md" })
	require.GreaterOrEqual(t, len(pages), 4)
	for _, page := range pages {
		t.Run(filepath.Base(page), func(t *testing.T) {
			content, err := os.ReadFile(page)
			require.NoError(t, err)
			assert.Regexp(t, `goroutine\.leak\.severity|alerts\.yaml`, string(content))
			config := filepath.Join(t.TempDir(), "collector.yaml")
			require.NoError(t, os.WriteFile(config, []byte(configuration(t, string(content))), 0o600))
			validate := exec.CommandContext(t.Context(), collector, "validate", "--config", config)
			out, err := validate.CombinedOutput()
			require.NoError(t, err, string(out))
		})
	}
}

// configuration returns the only complete configuration of a collector in a page.
func configuration(t *testing.T, content string) string {
	t.Helper()
	var whole []string
	for block := range strings.SplitSeq(content, "```yaml\n") {
		block, _, _ = strings.Cut(block, "```")
		if strings.Contains(block, "pipelines:") {
			whole = append(whole, block)
		}
	}
	require.Len(t, whole, 1)
	return whole[0]
}
