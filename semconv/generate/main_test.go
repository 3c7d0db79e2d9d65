package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestPageIsCurrent fails when the model was changed, and not the page.
func TestPageIsCurrent(t *testing.T) {
	file := filepath.Join(t.TempDir(), "metrics.md")
	require.NoError(t, generate([]string{file}))
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	got, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "make generate")
}

func TestFileThatCannotBeWritten(t *testing.T) {
	require.Error(t, generate(nil))
	require.Error(t, generate([]string{t.TempDir()}))
}
