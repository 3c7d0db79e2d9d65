package atomicstorage

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// contents returns all values of a client.
func contents(t *testing.T, c storage.Client) map[string]string {
	t.Helper()
	all := make(map[string]string)
	require.NoError(t, c.(storage.Walker).Walk(t.Context(), func(key string, value []byte) ([]*storage.Operation, error) {
		all[key] = string(value)
		return nil, nil
	}))
	return all
}

// TestAgainstMap applies random operations to a client and to a map, and reopens the client now and
// then.
func TestAgainstMap(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		folder, model := t.TempDir(), map[string]string{}
		r := startIn(t, folder)
		c := r.client(t)
		for range 100 {
			var operations []*storage.Operation
			expected := make(map[*storage.Operation][]byte)
			for range 1 + random.IntN(3) {
				key := []string{"", "a", "b", "a key of some length", "\x00\n/../"}[random.IntN(5)]
				value := bytes.Repeat([]byte{byte(random.IntN(256))}, random.IntN(3)*random.IntN(5000))
				switch random.IntN(3) {
				case 0:
					o := storage.GetOperation(key)
					if stored, ok := model[key]; ok {
						expected[o] = []byte(stored)
					} else {
						expected[o] = nil
					}
					operations = append(operations, o)
				case 1:
					model[key] = string(value)
					operations = append(operations, storage.SetOperation(key, value))
				default:
					delete(model, key)
					operations = append(operations, storage.DeleteOperation(key))
				}
			}
			require.NoError(t, c.Batch(t.Context(), operations...))
			for o, want := range expected {
				require.Equal(t, want, o.Value, "seed %d, key %q", seed, o.Key)
			}
			if random.IntN(10) == 0 {
				require.NoError(t, c.Close(t.Context()))
				c = r.client(t)
			}
			require.Equal(t, model, contents(t, c), "seed %d", seed)
		}
		assert.Empty(t, r.errors(t))
	}
}

func TestMissingKey(t *testing.T) {
	c := startIn(t, t.TempDir()).client(t)
	value, err := c.Get(t.Context(), "key")
	require.NoError(t, err)
	assert.Nil(t, value)
	require.NoError(t, c.Delete(t.Context(), "key"))
	require.NoError(t, c.Set(t.Context(), "key", nil))
	value, err = c.Get(t.Context(), "key")
	require.NoError(t, err)
	assert.NotNil(t, value, "an empty value is stored")
}

// TestBatchIsAtomic applies a batch with an unknown operation.
func TestBatchIsAtomic(t *testing.T) {
	c := startIn(t, t.TempDir()).client(t)
	require.NoError(t, c.Set(t.Context(), "a", []byte("1")))
	err := c.Batch(t.Context(), storage.SetOperation("a", []byte("2")), &storage.Operation{Type: 17, Key: "b"})
	require.ErrorIs(t, err, errOperation)
	assert.Equal(t, map[string]string{"a": "1"}, contents(t, c))
}

// TestValuesAreCopied modifies values after Set and after Get.
func TestValuesAreCopied(t *testing.T) {
	c := startIn(t, t.TempDir()).client(t)
	given := []byte("value")
	get := storage.GetOperation("a")
	require.NoError(t, c.Batch(t.Context(), storage.SetOperation("a", given), get))
	given[0], get.Value[1] = 'X', 'X'
	assert.Equal(t, map[string]string{"a": "value"}, contents(t, c))
}

func TestWalk(t *testing.T) {
	stop := errors.New("stop")
	for _, test := range []struct {
		name string
		end  error // returned for b
		err  error
		want map[string]string
	}{
		{"all", nil, nil, map[string]string{"a": "seen", "b": "seen", "c": "seen"}},
		{"SkipAll", storage.SkipAll, nil, map[string]string{"a": "seen", "b": "seen", "c": ""}},
		{"with an error", stop, stop, map[string]string{"a": "", "b": "", "c": ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := startIn(t, t.TempDir()).client(t)
			for _, key := range []string{"a", "b", "c"} {
				require.NoError(t, c.Set(t.Context(), key, nil))
			}
			err := c.(storage.Walker).Walk(t.Context(), func(key string, _ []byte) ([]*storage.Operation, error) {
				operations := []*storage.Operation{storage.SetOperation(key, []byte("seen"))}
				if key == "b" {
					return operations, test.end
				}
				return operations, nil
			})
			require.ErrorIs(t, err, test.err)
			assert.Equal(t, test.want, contents(t, c))
		})
	}
	t.Run("canceled", func(t *testing.T) {
		c := startIn(t, t.TempDir()).client(t)
		require.NoError(t, c.Set(t.Context(), "a", nil))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := c.(storage.Walker).Walk(ctx, func(string, []byte) ([]*storage.Operation, error) { return nil, nil })
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestClosedClient(t *testing.T) {
	c := startIn(t, t.TempDir()).client(t)
	require.NoError(t, c.Close(t.Context()))
	require.NoError(t, c.Close(t.Context()), "a second time")
	require.ErrorIs(t, c.Set(t.Context(), "a", nil), errClosed)
	require.ErrorIs(t, c.(storage.Walker).Walk(t.Context(), nil), errClosed)
}

func TestConcurrentBatches(t *testing.T) {
	c := startIn(t, t.TempDir()).client(t)
	want := make(map[string]string)
	var writers sync.WaitGroup
	for n := range 20 {
		key := strconv.Itoa(n)
		want[key] = key
		writers.Go(func() {
			get := storage.GetOperation(key)
			err := c.Batch(t.Context(), storage.SetOperation(key, []byte(key)), get)
			if err != nil || string(get.Value) != key {
				t.Errorf("%s: got %q, %v", key, get.Value, err)
			}
		})
	}
	writers.Wait()
	assert.Equal(t, want, contents(t, c))
}

// TestDamage changes and truncates a file at each of its bytes. The client must open in any case: with
// all values, or empty and with the file set aside.
func TestDamage(t *testing.T) {
	folder := t.TempDir()
	r := startIn(t, folder)
	c := r.client(t)
	want := map[string]string{"a": "one", "b": "", "key": "a value of some length"}
	for key, value := range want {
		require.NoError(t, c.Set(t.Context(), key, []byte(value)))
	}
	require.NoError(t, c.Close(t.Context()))
	whole, err := os.ReadFile(r.file())
	require.NoError(t, err)

	check := func(damagedFile []byte) {
		t.Helper()
		require.NoError(t, os.WriteFile(r.file(), damagedFile, 0o600))
		c := r.client(t)
		if got := contents(t, c); !maps.Equal(got, want) {
			require.Empty(t, got)
			aside, err := os.ReadFile(r.file() + damagedSuffix)
			require.NoError(t, err)
			require.Equal(t, damagedFile, aside)
		}
		require.NoError(t, c.Set(t.Context(), "new", []byte("value")))
		require.NoError(t, c.Close(t.Context()))
	}
	for n := range whole {
		check(whole[:n])
		for _, flip := range []byte{1, 0x80, 0xff} {
			changed := bytes.Clone(whole)
			changed[n] ^= flip
			check(changed)
		}
	}
	check(append(bytes.Clone(whole), 0))
	assert.Equal(t, int64(4*len(whole)+1), r.errors(t)[operationSetAside])
	assert.Equal(t, 4*len(whole)+1, r.logs.FilterMessageSnippet("set aside").Len())
}

// TestDamageWhileOpen changes a value in the file of an open client. It must not be returned, and the
// client must still store new values.
func TestDamageWhileOpen(t *testing.T) {
	r := startIn(t, t.TempDir())
	c := r.client(t)
	require.NoError(t, c.Set(t.Context(), "a", []byte("one")))
	require.NoError(t, c.Set(t.Context(), "b", []byte("two")))
	file, err := os.ReadFile(r.file())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(r.file(), bytes.Replace(file, []byte("two"), []byte("2wo"), 1), 0o600))

	_, err = c.Get(t.Context(), "b")
	require.ErrorIs(t, err, errDamaged)
	require.ErrorContains(t, err, `"b"`)
	require.NoError(t, c.Set(t.Context(), "a", []byte("three")))
	assert.Equal(t, map[string]string{"a": "three"}, contents(t, c))
	assert.FileExists(t, r.file()+damagedSuffix)
}

// TestRemovedWhileOpen deletes the file of an open client.
func TestRemovedWhileOpen(t *testing.T) {
	r := startIn(t, t.TempDir())
	c := r.client(t)
	require.NoError(t, c.Set(t.Context(), "a", []byte("one")))
	require.NoError(t, os.Remove(r.file()))
	_, err := c.Get(t.Context(), "a")
	require.ErrorIs(t, err, errRemoved)
	require.NoError(t, c.Set(t.Context(), "b", []byte("two")))
	assert.Equal(t, map[string]string{"b": "two"}, contents(t, c))
	assert.Equal(t, 1, r.logs.FilterMessageSnippet("removed").Len())
}
