package leakdetect

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatautil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

var stackCount = watchedMetric{kind: detect.Stack, part: detect.Count}

// TestSetIDs compares the IDs of sets with contrib's hash, which sorts the attributes and has 128
// bits: two sets must have the same ID if and only if they have the same hash.
func TestSetIDs(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	type seen struct {
		id  detect.ID
		set map[string]any
	}
	byHash := make(map[[16]byte]seen)
	byID := make(map[detect.ID]map[string]any)
	repeated := 0
	for range 20_000 {
		m := anySet(random)
		a, ok := readAttributes(stackCount, m)
		require.True(t, ok)
		hash := pdatautil.MapHash(m)
		before, again := byHash[hash]
		if again {
			repeated++
			require.Equal(t, before.id, a.set, "%v and %v", before.set, m.AsRaw())
			continue
		}
		require.NotContains(t, byID, a.set, "%v and %v", byID[a.set], m.AsRaw())
		byHash[hash], byID[a.set] = seen{a.set, m.AsRaw()}, m.AsRaw()
	}
	assert.Greater(t, repeated, 1000, "repeated sets, most in another order")
}

// anySet returns one of some thousand sets, in random order.
func anySet(random *rand.Rand) pcommon.Map {
	m := pcommon.NewMap()
	keys := []string{"a", "b", "c", telemetry.AttrEntry, telemetry.AttrState}
	random.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	for _, key := range keys {
		switch random.IntN(9) {
		case 0:
			m.PutStr(key, "a")
		case 1:
			m.PutStr(key, "1")
		case 2:
			m.PutInt(key, 1)
		case 3:
			m.PutDouble(key, 1)
		case 4:
			m.PutBool(key, true)
		case 5:
			m.PutEmptySlice(key).AppendEmpty().SetInt(1)
		}
	}
	return m
}

func TestAttributesOfAGroup(t *testing.T) {
	const age, file = telemetry.AttrAgeMin, telemetry.AttrEntryFile
	plain := map[string]any{telemetry.AttrEntry: "main.run"}
	with := func(key string, value any) map[string]any {
		return map[string]any{telemetry.AttrEntry: "main.run", key: value}
	}
	aged := watchedMetric{kind: detect.Entry, part: detect.Aged}
	tests := []struct {
		name   string
		metric watchedMetric
		set    map[string]any
		same   bool // as plain
		band   time.Duration
		isOld  bool
	}{
		{"age", aged, with(age, 600.0), true, 10 * time.Minute, true},
		{"age as Prometheus has it", aged, with("goroutine_age_min", "600"), true, 10 * time.Minute, true},
		{"invalid age", aged, with(age, "old"), true, -1, true},
		{"age of a count is part of the group", watchedMetric{kind: detect.Entry, part: detect.Count}, with(age, 600.0), false, 0, false},
		{"file of an entry", aged, with(file, "/src/main.go"), true, 0, false},
		{"file of an entry, of a signature", stackCount, with(file, "/src/main.go"), false, 0, false},
		{"another attribute", aged, with("host.name", "a"), false, 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, ok := readAttributes(test.metric, mapOf(t, test.set))
			require.True(t, ok)
			want, _ := readAttributes(test.metric, mapOf(t, plain))
			assert.Equal(t, test.same, got.set == want.set)
			assert.Equal(t, want.entry, got.entry)
			assert.Equal(t, "main.run", got.values[roleEntry])
			assert.Equal(t, test.band, got.band)
			assert.Equal(t, test.isOld, got.hasAge)
		})
	}
}

// TestDottedKeysTakePrecedence reads both spellings of an attribute, in either order.
func TestDottedKeysTakePrecedence(t *testing.T) {
	for _, keys := range [][2]string{{"goroutine.state", "goroutine_state"}, {"goroutine_state", "goroutine.state"}} {
		m := pcommon.NewMap()
		for _, key := range keys {
			m.PutStr(key, key)
		}
		a, _ := readAttributes(stackCount, m)
		assert.Equal(t, "goroutine.state", a.values[roleState])
	}
}

func TestReadAttributesDoesNotAllocate(t *testing.T) {
	m := mapOf(t, map[string]any{telemetry.AttrSignature: "a", telemetry.AttrState: "select", telemetry.AttrLine: 42, telemetry.AttrEntry: "main.run", telemetry.AttrAgeMin: 600.0})
	assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = readAttributes(watchedMetric{kind: detect.Stack, part: detect.Aged}, m) }))
}

func mapOf(t *testing.T, set map[string]any) pcommon.Map {
	m := pcommon.NewMap()
	require.NoError(t, m.FromRaw(set))
	return m
}
