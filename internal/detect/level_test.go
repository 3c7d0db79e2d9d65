package detect

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// New evidence gets the history of its level: the first burst of a group that appears in a watched
// process is a step like later ones.
func TestFirstBurstCounts(t *testing.T) {
	s := newScene()
	s.residents(100, 200, 5)
	const first, day = 600, 24 * 60
	for night := range 5 {
		for range 20 {
			s.groups[101] = append(s.groups[101], one{born: first + night*day, dies: forever})
		}
	}
	s.entries[101] = 201
	r := newRig(t)
	r.play(s, 0, first+4*day)
	if at := r.firstAt(101, growth.Probable); at < first+2*day || at > first+3*day+120 {
		t.Errorf("probable at minute %d, the third night is at %d, the fourth at %d", at, first+2*day, first+3*day)
	}
}

// Workers that begin to wait elsewhere are no leak: their entry has no new goroutines of that age,
// whatever comes and goes at other ages.
func TestWorkersThatMove(t *testing.T) {
	for name, tc := range map[string]struct {
		born  func(i int) int // the i-th that comes to the signature
		leaks bool
	}{
		"workers": {func(int) int { return -1000 }, false},
		"new":     {func(i int) int { return i * 6 }, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			s.sessions(100, 200, 1, 20, 1400) // of the same entry
			s.entries[101] = 200
			for i := range 200 {
				s.groups[101] = append(s.groups[101], one{born: tc.born(i), dies: forever, moves: i * 6})
			}
			r := newRig(t)
			r.play(s, 0, 1400)
			if at := r.firstAt(101, growth.Suspected); at >= 0 != tc.leaks {
				t.Errorf("flagged at minute %d, want a flag: %t", at, tc.leaks)
			}
		})
	}
}

// If a fleet reconnects within two hours of a start, neither the signatures nor the entry are a leak:
// they are held by the peer.
func TestFleetThatConnects(t *testing.T) {
	for _, peer := range []bool{true, false} {
		s := newScene()
		s.peer = peer
		random := rand.New(rand.NewPCG(1, 1))
		for signature := ID(1); signature <= 8; signature++ {
			for range 25 {
				s.groups[signature] = append(s.groups[signature], one{born: random.IntN(100), dies: forever})
			}
			s.entries[signature] = 200
		}
		r := newRig(t)
		r.play(s, 0, 600)
		flagged := false
		for _, v := range r.sorted() {
			flagged = flagged || v.Severity >= growth.Probable
		}
		if flagged == peer {
			t.Errorf("held by a peer: %t, flagged: %t", peer, flagged)
		}
	}
}

// After an hour without data, a detector accepts new data at once.
func TestAnHourIsLost(t *testing.T) {
	s := newScene()
	s.leak(101, 201, 1, 5, 600)
	r := newRig(t)
	r.play(s, 0, 200)
	r.clock += int64(time.Hour)
	r.play(s, 260, 600)
	if len(r.refused) != 0 {
		t.Errorf("refused: %v", r.refused)
	}
	if ends := r.ends(101); len(ends) != 0 {
		t.Errorf("ended: %v", ends)
	}
	if at := r.firstAt(101, growth.Probable); at < 0 || at > 200 {
		t.Errorf("probable at minute %d", at)
	}
}

// An entry waits for its signature to be flagged if that has all of the growth, also by counts.
func TestEntryWaitsForItsSignature(t *testing.T) {
	for _, counts := range []bool{false, true} {
		s := newScene()
		s.counts = counts
		s.rules.MaxLifetime = time.Hour
		s.leak(101, 201, 3, 5, 400)
		s.residents(102, 201, 40)
		r := newRig(t)
		r.play(s, 0, 400)
		if at := r.firstAt(201, growth.Suspected); at >= 0 {
			t.Errorf("counts alone: %t: the entry is flagged at minute %d", counts, at)
		}
		if at := r.firstAt(101, growth.Suspected); at < 0 {
			t.Errorf("counts alone: %t: the signature is not flagged", counts)
		}
	}
}
