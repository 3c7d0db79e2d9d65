package leakdetect

import (
	"bytes"
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/metadata"
)

// lived returns a processor that has seen all that there is to be remembered: a leak
// that is flagged, one that is proved, entries, another process.
func lived(t testing.TB, minutes int) *leakDetect {
	t.Helper()
	p := fresh(t, defaultConfig())
	for minute := range minutes {
		live(p, minute)
	}
	return p
}

func fresh(t testing.TB, c *Config) *leakDetect {
	t.Helper()
	p, err := newLeakDetect(c, processortest.NewNopSettings(metadata.Type))
	require.NoError(t, err)
	return p
}

// live has the processor live through a minute, and returns what it found.
func live(p *leakDetect, minute int) []finding {
	at := epoch.Add(time.Duration(minute) * time.Minute)
	s := newScene("shop")
	leak, stuck := leaking("app.leak", "app.main", at, 3), named(5)
	md := s.census(at, leak, stuck, steady("app.pool", "app.pool", 20))
	s.leaks(md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics(), at, stuck)
	newScene("cart").stacks(newScene("cart").resource(md), at, false, leaking("app.leak", "app.main", at, 3))
	return p.judge(context.Background(), md).findings
}

// It fails when a field is added and not kept.
func TestStateIsWhole(t *testing.T) {
	kept := func(parts []any) []any {
		var names []any
		for _, part := range parts {
			names = append(names, reflect.TypeOf(part).Elem().String())
		}
		return names
	}
	fields := func(of reflect.Type, but ...string) []any {
		var names []any
		for f := range of.Fields() {
			if !slices.Contains(but, f.Name) {
				names = append(names, f.Type.String())
			}
		}
		return names
	}
	assert.ElementsMatch(t, fields(reflect.TypeFor[stream](), "evidence"), kept(new(stream).parts()))
	assert.ElementsMatch(t, fields(reflect.TypeFor[resource](), "entries", "proofs"), kept(new(resource).parts()))
	assert.ElementsMatch(t, fields(reflect.TypeFor[proof]()), kept(new(proof).parts()))
}

func TestStateGoesOnWhereItWas(t *testing.T) {
	before := lived(t, 120)
	state, err := before.watch.encodeState()
	require.NoError(t, err)
	after := fresh(t, defaultConfig())
	require.NoError(t, after.watch.restore(state))
	assert.Equal(t, before.watch.streams, after.watch.streams)
	assert.Equal(t, before.watch.resources, after.watch.resources)
	for minute := 120; minute < 240; minute++ {
		want, got := live(before, minute), live(after, minute)
		require.NotEmpty(t, want)
		require.Len(t, got, len(want))
		for i := range got {
			require.Equal(t, want[i].verdict, got[i].verdict)
			require.False(t, got[i].rose, "it is told again")
		}
	}
}

func TestStateOfNoUse(t *testing.T) {
	p := lived(t, 60)
	state, err := p.watch.encodeState()
	require.NoError(t, err)
	changed := func(at int, by byte) []byte {
		b := bytes.Clone(state)
		b[at] ^= by
		return b
	}
	otherRules := defaultConfig()
	otherRules.MinDuration = time.Hour
	for name, tc := range map[string]struct {
		state  []byte
		config *Config
		want   error
	}{
		"empty":         {nil, defaultConfig(), errNoState},
		"another thing": {[]byte("{}"), defaultConfig(), errNoState},
		"version":       {changed(len(stateMagic), 1), defaultConfig(), errStateVersion},
		"signatures":    {changed(len(stateMagic)+2, 1), defaultConfig(), errStateSignatures},
		"rules":         {state, otherRules, errStateRules},
		"more":          {append(bytes.Clone(state), 0), defaultConfig(), errStateDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			after := fresh(t, tc.config)
			require.ErrorIs(t, after.watch.restore(tc.state), tc.want)
			assert.Empty(t, after.watch.streams)
		})
	}
	after := fresh(t, defaultConfig())
	for n := range state {
		require.Error(t, after.watch.restore(state[:n]), "cut at byte %d", n)
		require.Error(t, after.watch.restore(changed(n, 0x10)), "changed at byte %d", n)
	}
	assert.Empty(t, after.watch.streams)
}

func TestStateIsBounded(t *testing.T) {
	state, err := lived(t, 60).watch.encodeState()
	require.NoError(t, err)
	c := defaultConfig()
	c.MaxStreams = 2
	p := fresh(t, c)
	require.NoError(t, p.watch.restore(state))
	assert.Len(t, p.watch.streams, 2)
}

// FuzzRestore has the processor remember anything, with the checksum made right, and
// go on with it.
func FuzzRestore(f *testing.F) {
	state, err := lived(f, 60).watch.encodeState()
	require.NoError(f, err)
	f.Add(state)
	f.Add([]byte{})
	f.Add(state[:len(state)/2])
	f.Add(append(bytes.Clone(state), state...))
	for _, wrong := range []byte{0x00, 0x7f, 0xff} {
		// Wherever they are, numbers, lengths, times and floats are what none should be.
		for at := len(stateMagic); at < len(state); at += len(state) / 16 {
			damaged := bytes.Clone(state)
			copy(damaged[at:], bytes.Repeat([]byte{wrong}, 8))
			f.Add(damaged)
		}
	}
	f.Fuzz(func(t *testing.T, state []byte) {
		p := fresh(t, defaultConfig())
		if err := p.watch.restore(checked(state)); err != nil {
			assert.Empty(t, p.watch.streams)
		}
		for minute := range 3 {
			live(p, 60+minute)
		}
	})
}

// checked returns a state with the right checksum.
func checked(state []byte) []byte {
	if len(state) < 4 {
		return state
	}
	e := encoder{buffer: bytes.Clone(state[:len(state)-4])}
	e.put(checksum(e.buffer))
	return e.buffer
}
