package profile

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/pprof/profile"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// peerDecode is Decode with github.com/google/pprof: the reference in the tests and the peer
// in the benchmarks. clean cleans names; the benchmarks pass the identity, since their names
// are clean.
func peerDecode(data []byte, clean func(string) string) (groups map[stack.ID]stack.Group, stackless int, err error) {
	p, err := profile.ParseData(data)
	if err != nil {
		return nil, 0, err
	}
	groups = map[stack.ID]stack.Group{}
	var frames []stack.Frame
	for _, s := range p.Sample {
		if len(s.Location) == 0 {
			stackless += int(s.Value[0])
			continue
		}
		frames = frames[:0]
		for _, l := range s.Location {
			for _, line := range l.Line {
				frames = append(frames, stack.Frame{Function: clean(line.Function.Name), File: clean(line.Function.Filename), Line: int(line.Line)})
			}
		}
		if signature, ok := stack.Read(frames, stack.Unknown); ok && s.Value[0] != 0 {
			g := groups[signature.ID]
			groups[signature.ID] = stack.Group{Signature: signature, Count: g.Count + int(s.Value[0])}
		}
	}
	return groups, stackless, nil
}

// agree decodes data and, if the peer accepts it too, compares the groups. It reports whether
// both accepted it.
func agree(t *testing.T, data []byte, maxSize int) bool {
	t.Helper()
	s, err := Decode(data, maxSize)
	if err != nil {
		return false
	}
	want, stackless, err := peerDecode(data, stack.Clean)
	if err != nil {
		return false
	}
	got := map[stack.ID]stack.Group{}
	for _, g := range s.Groups {
		if _, twice := got[g.ID]; twice {
			t.Errorf("signature %s is there twice", g.ID)
		}
		got[g.ID] = g
	}
	// One signature may be in several files; any of them is correct.
	for id, g := range want {
		g.Blamed.File = got[id].Blamed.File
		want[id] = g
	}
	if s.Stackless != stackless {
		t.Errorf("%d without a stack, the peer has %d", s.Stackless, stackless)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("groups differ (-peer +ours):\n%s", diff)
	}
	return true
}

func TestAgreesWithPeer(t *testing.T) {
	for _, n := range []int{1, 30, 500, 5000} {
		if !agree(t, gzipped(t, service(n)), plenty) {
			t.Errorf("a service of %d stacks is refused", n)
		}
	}
	for _, data := range fixtures(t) {
		if !agree(t, data, plenty) {
			t.Error("a fixture is refused")
		}
	}
}

// Both decode a profile with changed bytes alike, or one of them refuses it.
func TestAgreesWithPeerOnChangedProfiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	bodies := [][]byte{message{}.then(small()...), gunzip(t, fixtures(t)[0]), gunzip(t, gzipped(t, service(3)))}
	accepted := 0
	const changed = 2000
	for i := range changed {
		body := append([]byte(nil), bodies[i%len(bodies)]...)
		for range 1 + rng.IntN(3) {
			body[rng.IntN(len(body))] ^= 1 << rng.IntN(8)
		}
		if agree(t, body, plenty) {
			accepted++
		}
	}
	// If everything is refused, nothing has been compared.
	if accepted < changed/10 {
		t.Errorf("only %d of %d were accepted by both", accepted, changed)
	}
}

// fixtures returns the profiles in testdata, the oldest Go version first.
func fixtures(t testing.TB) [][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "*.pb.gz"))
	if err != nil || len(paths) != 3 {
		t.Fatalf("%d fixtures: %v", len(paths), err)
	}
	all := make([][]byte, 0, len(paths))
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data)
	}
	return all
}
