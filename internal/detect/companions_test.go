package detect

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// together adds goroutines to several groups at the same random times, one each.
func (s *scene) together(seed uint64, perMinute float64, from, until int, signatures ...ID) {
	r := rand.New(rand.NewPCG(seed, 7))
	for at := float64(from); at < float64(until); at += r.ExpFloat64() / perMinute {
		for _, signature := range signatures {
			s.groups[signature] = append(s.groups[signature], one{born: int(at), dies: forever})
			s.entries[signature] = signature + 100
		}
	}
}

// findings returns the finding of each signature, and fails if one changes.
func (r *rig) findings() map[ID]ID {
	found := make(map[ID]ID)
	for _, v := range r.sorted() {
		switch {
		case v.Severity == growth.None || v.Service:
		case found[v.Group] == 0:
			found[v.Group] = v.Finding
		case found[v.Group] != v.Finding:
			r.t.Fatalf("%d was told as %d, and then as %d", v.Group, found[v.Group], v.Finding)
		}
	}
	return found
}

// The groups of a forgotten connection are one finding, the same in every instance. Another leak of
// the same pace is another finding.
func TestConnectionIsOneFinding(t *testing.T) {
	for seed := range uint64(8) {
		for process := ID(1); process <= 2; process++ {
			s := newScene()
			perMinute := 1.0
			if seed%2 == 1 { // then they are flagged as soon as there can be a flag
				s.rules.MaxLifetime, perMinute = time.Hour, 2
			}
			s.process, s.service = process, theService
			s.ranks = map[ID]Rank{101: Standard, 102: Standard, 103: OwnCode, 104: OwnCode, 105: Module}
			s.together(10*seed+uint64(process), perMinute, 0, 300, 101, 102, 103)
			s.together(10*seed+uint64(process)+100, perMinute, 0, 300, 104)
			s.together(10*seed+uint64(process)+200, perMinute, 0, 300, 105)
			r := newRig(t)
			r.play(s, 0, 300)
			found := r.findings()
			for signature, want := range map[ID]ID{101: 103, 102: 103, 103: 103, 104: 104, 105: 105} {
				if got := found[s.id(signature)]; got != inService|want {
					t.Errorf("seed %d, process %d: %d is told as %x, want %x", seed, process, signature, got, inService|want)
				}
			}
		}
	}
}

// A companion that goes on alone keeps the common identity, also over a restart.
func TestCompanionThatGoesOnAlone(t *testing.T) {
	const parted = 250
	s := newScene()
	s.together(1, 1, 0, parted, 101, 102)
	for i := range s.groups[101] {
		s.groups[101][i].dies = parted + 30
	}
	s.together(2, 1, parted, 800, 102)
	r := newRig(t)
	r.play(s, 0, 500)
	r.restart()
	r.play(s, 500, 800)
	found := r.findings()
	if found[101] != 101 || found[102] != 101 {
		t.Errorf("%v", found)
	}
	if last := r.sorted()[len(r.verdicts)-1]; last.Group != 102 || last.Severity != growth.Probable {
		t.Errorf("%+v", last)
	}
}

// The number of comparisons is limited however many groups are flagged at once.
func TestComparisonsAreBounded(t *testing.T) {
	r := newRig(t)
	r.d.config.MaxGroups = 10_000
	s := newScene()
	var all []ID
	for i := range ID(300) {
		all = append(all, 1000+i)
	}
	s.together(1, 1, 0, 130, all...)
	for _, signature := range all {
		s.entries[signature] = signature + 10_000
	}
	for now := range 130 {
		r.observe(s.at(now))
		if r.d.compared > maxCompared+len(all)+costlyPair {
			t.Fatalf("%d pairs", r.d.compared)
		}
	}
	if found := r.findings(); len(found) < 100 {
		t.Errorf("%d are flagged", len(found))
	}
}
