package atomicstorage

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// TestFullDisk writes to a device that is always full. Old values remain, and new ones are stored when
// there is space again.
func TestFullDisk(t *testing.T) {
	r := startIn(t, t.TempDir())
	c := r.client(t)
	require.NoError(t, c.Set(t.Context(), "a", []byte("1")))
	require.NoError(t, os.Symlink("/dev/full", r.file()+temporarySuffix))
	require.ErrorIs(t, c.Set(t.Context(), "a", []byte("2")), storage.ErrStorageFull)
	assert.Equal(t, map[string]int64{operationWrite: 1}, r.errors(t))
	assert.Equal(t, map[string]string{"a": "1"}, contents(t, c))
	assert.NoFileExists(t, r.file()+temporarySuffix, "the incomplete file")

	require.NoError(t, c.Set(t.Context(), "a", []byte("3")))
	require.NoError(t, c.Close(t.Context()))
	assert.Equal(t, map[string]string{"a": "3"}, contents(t, r.client(t)))
}
