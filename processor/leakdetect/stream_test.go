package leakdetect

import (
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

func minute(n int64) int64 { return epoch.Add(time.Duration(n) * time.Minute).UnixNano() }

func TestStreamTakesParts(t *testing.T) {
	at := func(n int64, part parts) reading {
		return reading{part: part, value: 1, at: minute(n)}
	}
	judged := func(r reading, census bool) stream {
		return stream{at: r.at, have: countPart, judged: true, census: census}
	}
	for name, tc := range map[string]struct {
		s        stream
		r        reading
		why      reason
		complete bool
	}{
		"first count":                    {stream{}, at(1, countPart), fine, true},
		"first aged":                     {stream{}, at(1, agedPart), fine, false},
		"count where census is due":      {stream{census: true}, at(1, countPart), fine, false},
		"count twice":                    {judged(at(1, countPart), false), at(1, countPart), outOfOrder, false},
		"earlier":                        {judged(at(2, countPart), false), at(1, countPart), outOfOrder, false},
		"aged after the count's turn":    {judged(at(1, countPart), false), at(1, agedPart), fine, false},
		"exits after the count's turn":   {judged(at(1, countPart), true), at(1, exitsPart), fine, false},
		"count and exits, no aged due":   {stream{at: minute(1), have: exitsPart}, at(1, countPart), fine, true},
		"count and exits, aged are due":  {stream{at: minute(1), have: exitsPart, census: true}, at(1, countPart), fine, false},
		"count and aged, exits may come": {stream{at: minute(1), have: agedPart}, at(1, countPart), fine, false},
		"the last part":                  {stream{at: minute(1), have: censusParts}, at(1, countPart), fine, true},
	} {
		t.Run(name, func(t *testing.T) {
			why := tc.s.take(tc.r)
			assert.Equal(t, tc.why, why)
			if why == fine {
				assert.Equal(t, tc.complete, tc.s.complete(stackFamily))
			}
		})
	}
}

func TestObservation(t *testing.T) {
	count := reading{part: countPart, value: 9, at: minute(5), start: minute(1)}
	aged := reading{part: agedPart, value: 7, at: minute(5), start: minute(2)}
	exits := reading{part: exitsPart, value: 3, at: minute(5), start: minute(3)}
	at, countStart, exitsStart := time.Unix(0, minute(5)), time.Unix(0, minute(1)), time.Unix(0, minute(3))
	for name, tc := range map[string]struct {
		before stream
		parts  []reading
		want   growth.Observation
		ok     bool
	}{
		"all":                   {stream{}, []reading{count, aged, exits}, growth.Observation{At: at, Start: exitsStart, Count: 9, Census: true, Aged: 7, Exits: 3}, true},
		"all, census first":     {stream{}, []reading{exits, aged, count}, growth.Observation{At: at, Start: exitsStart, Count: 9, Census: true, Aged: 7, Exits: 3}, true},
		"count":                 {stream{}, []reading{count}, growth.Observation{At: at, Start: countStart, Count: 9}, true},
		"count, a census once":  {stream{everCensus: true}, []reading{count}, growth.Observation{At: at, Count: 9}, true},
		"census without count":  {stream{count: 100}, []reading{aged, exits}, growth.Observation{At: at, Start: exitsStart, Count: 7, Census: true, Aged: 7, Exits: 3}, true},
		"aged alone":            {stream{}, []reading{aged}, growth.Observation{At: at}, false},
		"exits alone":           {stream{}, []reading{exits}, growth.Observation{At: at, Start: exitsStart}, false},
		"count and aged":        {stream{}, []reading{count, aged}, growth.Observation{At: at, Start: countStart, Count: 9}, true},
		"nothing of the before": {stream{at: minute(4), have: allParts, judged: true, count: 1, aged: 1, exits: 1, start: 1}, []reading{count}, growth.Observation{At: at, Start: countStart, Count: 9}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := tc.before
			for _, p := range tc.parts {
				require.Equal(t, fine, s.take(p))
			}
			o, ok := s.observation()
			assert.Equal(t, tc.want, o)
			assert.Equal(t, tc.ok, ok)
		})
	}
}

// The counters of the census may begin later than the count. That is no restart,
// after which growth would be believed sooner, so the first census begins afresh.
func TestFirstCensusBeginsAfresh(t *testing.T) {
	c := defaultConfig()
	shortLives(c)
	rules := c.rules()
	census := func(s *stream, n int64) {
		require.Equal(t, fine, s.take(reading{part: countPart, value: 9, at: minute(n), start: minute(0)}))
		require.Equal(t, fine, s.take(reading{part: agedPart, value: 7, at: minute(n)}))
		require.Equal(t, fine, s.take(reading{part: exitsPart, value: 3, at: minute(n), start: minute(2)}))
		_, ok := s.observe(&rules)
		require.True(t, ok)
	}
	var counted, fresh stream
	var v growth.Verdict
	for n := range int64(90) {
		require.Equal(t, fine, counted.take(reading{part: countPart, value: float64(3 * n), at: minute(n), start: minute(0)}))
		v, _ = counted.observe(&rules)
	}
	require.Equal(t, growth.Suspected, v.Severity)
	census(&counted, 90)
	census(&fresh, 90)
	assert.Equal(t, fresh.evidence, counted.evidence)
	census(&counted, 91)
	assert.NotEqual(t, fresh.evidence, counted.evidence, "but the second goes on")
}

func TestReadStart(t *testing.T) {
	for name, tc := range map[string]struct {
		start int64
		delta bool
		want  int64
	}{
		"before":     {minute(1), false, minute(1)},
		"unknown":    {0, false, 0},
		"of a delta": {minute(1), true, 0},
		"after":      {minute(3), false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := pmetric.NewNumberDataPoint()
			p.SetIntValue(1)
			p.SetTimestamp(stamp(time.Unix(0, minute(2))))
			if tc.start != 0 {
				p.SetStartTimestamp(stamp(time.Unix(0, tc.start)))
			}
			r, why := read(p, exitsPart, tc.delta)
			assert.Equal(t, fine, why)
			assert.Equal(t, tc.want, r.start)
		})
	}
}

func TestFlagOfAnEntryRipens(t *testing.T) {
	var s stream
	assert.False(t, s.ripe(suspected, minute(1), minute(30)-minute(0)))
	assert.False(t, s.ripe(suspected, minute(30), minute(30)-minute(0)))
	assert.True(t, s.ripe(probable, minute(31), minute(30)-minute(0)))
	assert.False(t, s.ripe(growth.None, minute(32), minute(30)-minute(0)))
	assert.False(t, s.ripe(probable, minute(33), minute(30)-minute(0)), "begins anew")
}

func TestZerosAreAtLeastThree(t *testing.T) {
	var s stream
	require.True(t, s.show(probable, minute(0)))
	for i := range int64(3) {
		assert.True(t, s.show(growth.None, minute(60*(i+1))), "zero %d", i+1)
	}
	assert.False(t, s.show(growth.None, minute(240)))
	assert.False(t, s.show(growth.None, minute(300)))
}

// A size class of the allocator: one byte more costs 32.
func TestStreamIsSmall(t *testing.T) {
	assert.LessOrEqual(t, unsafe.Sizeof(stream{}), uintptr(352), "bytes")
}
