package finding

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"
	"time"
)

// FuzzState checks that a Tracker works from any state that it accepts, and can restore its own.
func FuzzState(f *testing.F) {
	b := NewTracker(Config{})
	for i := range 3 {
		b.Observe(flagged(i, i))
	}
	b.Advance(epoch)
	state, err := b.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(state)
	f.Add([]byte(`{"version":1,"services":[{"records":{"a":{"id":"a","phase":"open","leaking":[1],"whole":{}}}}]}`))
	f.Fuzz(func(t *testing.T, state []byte) {
		b := NewTracker(Config{})
		if b.UnmarshalBinary(state) != nil {
			return
		}
		b.Findings()
		b.Observe(flagged(1, 1))
		b.Advance(epoch)
		b.Advance(epoch.Add(48 * time.Hour))
		again, err := b.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if err := NewTracker(Config{}).UnmarshalBinary(again); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzPoints observes any points, each from ten bytes and four names, and restores the state.
func FuzzPoints(f *testing.F) {
	f.Add([]byte("\x00\x00aaaaaaaa\x08\x00aaaaaaaa"), "a\nb", "<script>", "chan_send", "1.2")
	f.Fuzz(func(t *testing.T, data []byte, first, second, third, fourth string) {
		const size = 10
		names := [...]string{first, second, third, fourth}
		b := NewTracker(Config{MaxFindings: 5, MaxProcesses: 5, GoroutineLimit: 10, MemoryLimit: 10})
		now := epoch
		for ; len(data) >= size; data = data[size:] {
			how, value := data[1], math.Float64frombits(binary.LittleEndian.Uint64(data[2:]))
			name := func(key string) string { return names[(int(how)+len(key))%len(names)] }
			at := now.Add(time.Duration(value))
			b.Observe(Point{
				Metric: sources[int(data[0])%len(sources)].name, Resource: name, Attributes: name, At: at, Start: now, Value: math.Abs(value),
			})
			if how%3 == 0 {
				now = now.Add(time.Duration(how) * 10 * time.Minute)
				for _, c := range b.Advance(now) {
					if strings.ContainsAny(c.Text+c.Finding.Evidence, "\n\r\x00") {
						t.Errorf("%q", c.Text)
					}
				}
			}
		}
		if findings, processes := b.Size(); findings > 5 || processes > 5 {
			t.Error(findings, processes)
		}
		b.Findings()
		state, err := b.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if err := NewTracker(Config{}).UnmarshalBinary(state); err != nil {
			t.Fatal(err)
		}
	})
}
