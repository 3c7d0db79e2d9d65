package detect

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// lived returns a rig with all kinds of state: a flagged leak, a proved one, entries, counts alone.
func lived(t testing.TB, minutes int) *rig {
	r := newRig(t)
	for now := range minutes {
		r.observe(lifeAt(now))
	}
	r.take(r.d.Flush())
	r.verdicts = nil
	return r
}

func lifeAt(now int) []Reading {
	s := mixed()
	other := newScene()
	other.process, other.counts = 2, true
	other.leak(301, 401, 1, 0, 1000)
	proved := s.at(now)[0]
	proved.Part, proved.Value, proved.Band, proved.Group, proved.Kind, proved.Entry = Leaked, 5, 0, 102, Stack, 202
	return slices.Concat(s.at(now), other.at(now), []Reading{proved})
}

func encode(t testing.TB, d *Detector) []byte {
	state, err := d.Clone().AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func TestStateGoesOnWhereItWas(t *testing.T) {
	before := lived(t, 200)
	after := newRig(t)
	if err := after.d.UnmarshalBinary(encode(t, before.d)); err != nil {
		t.Fatal(err)
	}
	after.clock = before.clock
	for now := 200; now < 400; now++ {
		want, got := before.observe(lifeAt(now)), after.observe(lifeAt(now))
		if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
			t.Fatalf("minute %d, -before +after:\n%s", now, diff)
		}
	}
}

// TestStateIsWhole fails if a field is added but not encoded.
func TestStateIsWhole(t *testing.T) {
	check := func(of reflect.Type, parts []any, but ...string) {
		var kept, fields []string
		for _, part := range parts {
			kept = append(kept, reflect.TypeOf(part).Elem().String())
		}
		for i := range of.NumField() {
			if f := of.Field(i); !slices.Contains(but, f.Name) {
				fields = append(fields, f.Type.String())
			}
		}
		slices.Sort(kept)
		slices.Sort(fields)
		if diff := cmp.Diff(fields, kept); diff != "" {
			t.Errorf("%v, -fields +kept:\n%s", of, diff)
		}
	}
	check(reflect.TypeFor[group](), new(group).parts(), "levels", "counts", "proof", "joint", "flag", "asService", "recent", "behind")
	check(reflect.TypeFor[level](), new(level).parts(), "evidence")
	check(reflect.TypeFor[process](), new(process).parts()[:len(new(process).parts())-6], "open", "flagged", "instances", "lowest", "returns")
	check(reflect.TypeFor[lowestBand](), new(process).parts()[len(new(process).parts())-3:])
	check(reflect.TypeFor[proof](), new(proof).parts())
	check(reflect.TypeFor[joint](), new(joint).parts())
	check(reflect.TypeFor[flag](), new(flag).parts())
	check(reflect.TypeFor[serviceGroup](), new(serviceGroup).parts()[:len(new(serviceGroup).parts())-3], "members", "past", "older", "sums", "batch", "rules", "spread")
	check(reflect.TypeFor[arrivalSpread](), new(serviceGroup).parts()[len(new(serviceGroup).parts())-3:])
}

func TestStateOfNoUse(t *testing.T) {
	state := encode(t, lived(t, 60).d)
	changed := func(at int, by byte) []byte {
		b := bytes.Clone(state)
		b[at] ^= by
		return b
	}
	otherRules := testConfig()
	otherRules.MinDuration = time.Hour
	for name, tc := range map[string]struct {
		state  []byte
		config Config
		want   error
	}{
		"empty":         {nil, testConfig(), ErrNoState},
		"another thing": {[]byte("{}"), testConfig(), ErrNoState},
		"version":       {changed(len(stateMagic), 1), testConfig(), ErrStateVersion},
		"signatures":    {changed(len(stateMagic)+2, 1), testConfig(), ErrStateSignatures},
		"rules":         {state, otherRules, ErrStateRules},
		"more":          {append(bytes.Clone(state), 0), testConfig(), ErrStateDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			d := New(tc.config)
			if err := d.UnmarshalBinary(tc.state); !errors.Is(err, tc.want) || d.Groups() != 0 {
				t.Errorf("got %v and %d groups, want %v", err, d.Groups(), tc.want)
			}
		})
	}
	d := New(testConfig())
	for n := range state {
		if d.UnmarshalBinary(state[:n]) == nil || d.UnmarshalBinary(changed(n, 0x10)) == nil {
			t.Fatalf("cut or changed at byte %d, and taken", n)
		}
	}
}

func TestStateIsBounded(t *testing.T) {
	c := testConfig()
	c.MaxGroups = 2
	d := New(c)
	if err := d.UnmarshalBinary(encode(t, lived(t, 60).d)); err != nil || d.Groups() != 2 {
		t.Errorf("%v, %d groups", err, d.Groups())
	}
}

// FuzzState decodes any state with a corrected checksum, and continues with it.
func FuzzState(f *testing.F) {
	state := encode(f, lived(f, 60).d)
	f.Add(state)
	f.Add([]byte{})
	f.Add(state[:len(state)/2])
	for _, wrong := range []byte{0x00, 0x7f, 0xff} {
		// Invalid numbers, lengths, times and floats at any place.
		for at := len(stateMagic); at < len(state); at += len(state) / 16 {
			damaged := bytes.Clone(state)
			copy(damaged[at:], bytes.Repeat([]byte{wrong}, 8))
			f.Add(damaged)
		}
	}
	f.Fuzz(func(t *testing.T, state []byte) {
		if len(state) >= 4 {
			state = bytes.Clone(state)
			binary.LittleEndian.PutUint32(state[len(state)-4:], checksum(state[:len(state)-4]))
		}
		r := newRig(t)
		if err := r.d.UnmarshalBinary(state); err != nil && r.d.Groups() > 0 {
			t.Error("it is half remembered")
		}
		for now := 60; now < 63; now++ {
			r.observe(lifeAt(now))
		}
	})
}
