package detect

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// mixed returns a process with an isolated leak, one among sessions, a pool, and a loop.
func mixed() *scene {
	s := newScene()
	s.leak(101, 201, 1, 5, 600)
	s.residents(102, 202, 40)
	s.sessions(103, 203, 2, 20, 600)
	s.leak(103, 203, 3, 30, 600)
	s.residents(103, 203, 25)
	return s
}

// cut regroups scrapes: it merges them at random or splits them into several batches, and shuffles the
// readings of each batch.
func cut(r *rand.Rand, scrapes [][]Reading) [][]Reading {
	var batches [][]Reading
	for len(scrapes) > 0 {
		if n := 1 + r.IntN(4); r.IntN(2) == 0 { // several scrapes, some of them together
			n = min(n, len(scrapes))
			batches = append(batches, slices.Concat(scrapes[:n]...))
			scrapes = scrapes[n:]
		} else { // one scrape in several batches
			all := slices.Clone(scrapes[0])
			r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			for parts := 1 + r.IntN(10); parts > 0; parts-- {
				k := len(all) / parts
				batches = append(batches, all[:k])
				all = all[k:]
			}
			scrapes = scrapes[1:]
		}
	}
	for _, b := range batches {
		r.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
	}
	return batches
}

// TestSameVerdictsInAnyGrouping checks that verdicts depend on the observations and not on the batches
// in which they arrive.
func TestSameVerdictsInAnyGrouping(t *testing.T) {
	const minutes = 500
	for name, change := range map[string]func(*scene){
		"census":        func(*scene) {},
		"count dropped": func(s *scene) { s.noCount = true },
		"one band":      func(s *scene) { s.noBands = true },
		"counts alone": func(s *scene) {
			s.counts = true
			rules := *s.rules
			rules.MaxLifetime = rules.MinDuration
			s.rules = &rules
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := mixed()
			change(s)
			var scrapes [][]Reading
			for now := range minutes {
				scrapes = append(scrapes, s.at(now))
			}
			whole := newRig(t)
			for _, scrape := range scrapes {
				whole.observe(scrape)
			}
			want := whole.sorted()
			if len(want) < 100 {
				t.Fatalf("only %d verdicts", len(want))
			}
			for seed := range uint64(20) {
				other := newRig(t)
				for _, batch := range cut(rand.New(rand.NewPCG(seed, 0)), scrapes) {
					other.observe(batch)
				}
				got := other.sorted()
				// Before it is known that scrapes are split, the first new band may be
				// missed.
				if n := other.refused[OutOfOrder]; n > 1 {
					t.Fatalf("seed %d: %d readings out of order", seed, n)
				} else if n == 1 {
					continue
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("seed %d, -whole +cut:\n%.3000s", seed, diff)
				}
			}
		})
	}
}

// TestBatchesThatOvertake delivers each batch of half a scrape after the next one.
func TestBatchesThatOvertake(t *testing.T) {
	s := mixed()
	whole, other := newRig(t), newRig(t)
	var halves [][]Reading
	for now := range 400 {
		scrape := s.at(now)
		whole.observe(scrape)
		halves = append(halves, scrape[:len(scrape)/2], scrape[len(scrape)/2:])
	}
	for i := 2; i+1 < len(halves); i += 2 {
		halves[i-1], halves[i] = halves[i], halves[i-1]
	}
	for _, half := range halves {
		other.observe(half)
	}
	if want, got := whole.firstAt(101, growth.Probable), other.firstAt(101, growth.Probable); want < 0 || got != want {
		t.Errorf("probable after %d minutes, want %d", got, want)
	}
	if ends := other.ends(101); len(ends) > 0 {
		t.Errorf("ended: %v", ends)
	}
}

// FuzzOrder splits the readings of a leak anywhere, with any order within a batch.
func FuzzOrder(f *testing.F) {
	f.Add([]byte{1, 200, 3, 4, 0, 255})
	s := mixed()
	s.rules.MinDuration = 10 * 60 * 1e9
	var all []Reading
	for now := range 200 {
		all = append(all, s.at(now)...)
	}
	whole := newRig(f)
	for now := range 200 {
		whole.observe(s.at(now))
	}
	want := whole.sorted()
	f.Fuzz(func(t *testing.T, sizes []byte) {
		rest := all
		other := newRig(t)
		for _, size := range sizes {
			n := min(int(size)*int(size)/16, len(rest))
			batch := slices.Clone(rest[:n])
			rand.New(rand.NewPCG(uint64(size), 0)).Shuffle(n, func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
			other.observe(batch)
			rest = rest[n:]
		}
		other.observe(rest)
		if diff := cmp.Diff(want, other.sorted()); diff != "" && other.refused[OutOfOrder] == 0 {
			t.Fatalf("-whole +cut:\n%.2000s", diff)
		}
	})
}

// TestAGroupOfWhichExitsAreLeft empties a group whose exits the SDK keeps exporting. No other parts
// are awaited, so each scrape is judged when it arrives.
func TestAGroupOfWhichExitsAreLeft(t *testing.T) {
	const minutes = 400
	without, with := newScene(), newScene()
	for _, s := range []*scene{without, with} {
		s.leak(101, 201, 1, 5, minutes)
	}
	for at := range 30 {
		with.groups[102] = append(with.groups[102], one{born: at, dies: 60})
	}
	with.entries[102] = 202
	want, got := newRig(t), newRig(t)
	for now := range minutes {
		want.observe(without.at(now))
		got.observe(slices.DeleteFunc(with.at(now), func(r Reading) bool {
			return now > 62 && (r.Group == 102 || r.Group == 202) && r.Part != Exits
		}))
		if now > 62 && len(want.verdicts) != len(got.verdicts) {
			t.Fatalf("minute %d: %d verdicts, want %d", now, len(got.verdicts), len(want.verdicts))
		}
	}
	if len(want.verdicts) < 100 {
		t.Fatalf("only %d verdicts", len(want.verdicts))
	}
}

// TestCopiesOfAScrape repeats each scrape, like a sender that retries. That changes nothing, and the
// next scrape is still judged when it arrives, also by a detector that is killed after each scrape
// and restores its state.
func TestCopiesOfAScrape(t *testing.T) {
	const minutes = 300
	once, again, killed := newRig(t), newRig(t), newRig(t)
	s := mixed()
	for now := range minutes {
		once.observe(s.at(now))
		again.observe(s.at(now))
		again.observe(s.at(now))
		killed.observe(s.at(now))
		killed.restart()
		killed.observe(s.at(now))
	}
	if len(once.verdicts) < 100 {
		t.Fatalf("only %d verdicts", len(once.verdicts))
	}
	// Not sorted: each must have come with its scrape.
	if diff := cmp.Diff(once.verdicts, again.verdicts); diff != "" {
		t.Errorf("sent twice (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(once.verdicts, killed.verdicts); diff != "" {
		t.Errorf("killed in between (-want +got):\n%s", diff)
	}
}
