package detect

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// TestEnds checks that each end of a flag is reported once with its reason, where the flag was, and
// counted.
func TestEnds(t *testing.T) {
	for name, tc := range map[string]struct {
		then func(r *rig, s *scene)
		want End
	}{
		"they have left": {func(r *rig, s *scene) {
			for i := range s.groups[101] {
				s.groups[101][i].dies = 300
			}
			r.play(s, 300, 330)
		}, Left},
		"another process": {func(r *rig, _ *scene) {
			fresh := newScene()
			fresh.start = 300
			fresh.residents(102, 202, 40)
			r.play(fresh, 300, 330)
		}, ProcessGone},
		"ignored": {func(r *rig, s *scene) {
			for now := 300; now < 330; now++ {
				readings := s.at(now)
				for i := range readings {
					readings[i].Ignored = readings[i].Group == 101
				}
				r.observe(readings)
			}
		}, Ignored},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			s.leak(101, 201, 1, 5, 300)
			s.residents(102, 202, 40)
			r := newRig(t)
			r.play(s, 0, 300)
			if r.firstAt(101, growth.Probable) < 0 {
				t.Fatal("not flagged")
			}
			tc.then(r, s)
			if diff := cmp.Diff([]End{tc.want}, r.ends(101)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			zeros := 0
			for _, v := range r.verdicts {
				if v.Group == 101 && v.Severity == growth.None {
					zeros++
				}
			}
			if zeros < 15 || zeros > 17 {
				t.Errorf("%d zeros, want some for a quarter of an hour", zeros)
			}
			i := slices.Index(slices.Collect(slices.Values(endsOf())), tc.want)
			if got := r.d.processes[1].ended[i]; got != 1 {
				t.Errorf("counted %d", got)
			}
		})
	}
}

func endsOf() []End {
	all := Ends()
	return all[:]
}

// TestNoDataEndsTheFlag stops sending data.
func TestNoDataEndsTheFlag(t *testing.T) {
	s := newScene()
	s.leak(101, 201, 1, 5, 300)
	r := newRig(t)
	r.play(s, 0, 300)
	var gone []Verdict
	for hour := range int64(30) {
		result := r.d.Observe(r.clock+hour*int64(time.Hour), nil)
		gone = append(gone, result.Gone...)
	}
	if len(gone) != 1 || gone[0].Ended != NoData || gone[0].Group != 101 {
		t.Errorf("got %+v", gone)
	}
}

// TestMissingDataEndsNoFlag has an outage of the collector. Afterwards the flags of the leak, in the
// instance and in the service, are still up, with the same ID.
func TestMissingDataEndsNoFlag(t *testing.T) {
	for name, tc := range map[string]struct {
		until, outage int // minutes
		want          growth.Severity
	}{
		"suspected, an hour":     {95, 60, growth.Suspected},
		"suspected, six hours":   {95, 6 * 60, growth.Suspected},
		"probable, six hours":    {300, 6 * 60, growth.Probable},
		"probable, twenty hours": {300, 20 * 60, growth.Probable},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			s.service = 7
			s.leak(101, 201, 1, 5, 3000)
			s.residents(102, 202, 40)
			r := newRig(t)
			r.play(s, 0, tc.until)
			last := r.verdicts[len(r.verdicts)-1]
			if last.Severity != tc.want {
				t.Fatalf("before: %+v", last)
			}
			r.clock += int64(tc.outage) * int64(time.Minute)
			r.play(s, tc.until+tc.outage, tc.until+tc.outage+12*60)
			for _, v := range r.sorted() {
				if v.Ended != NotEnded || v.Severity > growth.None && v.Finding != last.Finding {
					t.Fatalf("%+v, want the flag of %v to go on", v, last.Finding)
				}
			}
			if last = r.verdicts[len(r.verdicts)-1]; last.Severity != growth.Probable {
				t.Errorf("in the end: %+v", last)
			}
		})
	}
}

// TestEvidenceIsShown checks the evidence in the verdict on a leak among sessions.
func TestEvidenceIsShown(t *testing.T) {
	s := newScene()
	s.leak(101, 201, 2, 0, 900)
	s.sessions(101, 201, 1, 20, 900)
	r := newRig(t)
	r.play(s, 0, 900)
	last := r.verdicts[len(r.verdicts)-1]
	if last.Group != 101 || !last.Aged || last.AgeMin != bounds[1] && last.AgeMin != bounds[2] {
		t.Errorf("got %+v, want an age that sessions do not reach", last)
	}
	if since := time.Unix(0, last.Since).Sub(epoch); since < 0 || since > 5*time.Hour {
		t.Errorf("since %v", since)
	}
	if first := r.firstAt(101, growth.Probable); first < 0 || first > 600 {
		t.Errorf("probable after %d minutes", first)
	}
}

// TestResidentsAreNoArrivals observes a leak beside residents.
func TestResidentsAreNoArrivals(t *testing.T) {
	for _, n := range []int{0, 20, 1000, 10_000} {
		s := newScene()
		s.leak(101, 201, 1, 5, 4000)
		s.residents(101, 201, n)
		r := newRig(t)
		for now := 0; now < 3000; now += 2 {
			r.observe(s.at(now))
		}
		if ends, first := r.ends(101), r.firstAt(101, growth.Probable); len(ends) > 0 || first < 0 || first > 150 {
			t.Errorf("%d residents: probable after %d minutes, ends %v", n, first, ends)
		}
	}
}

// TestLateWatcher begins to observe a process whose census is hours old: residents reach the next age
// bands, which is not growth.
func TestLateWatcher(t *testing.T) {
	s := newScene()
	for born := range 60 { // of an hour of start, hours ago
		s.groups[101] = append(s.groups[101], one{born: born, dies: forever})
	}
	s.entries[101] = 201
	for _, begin := range []int{65, 75, 100, 130, 330, 370} {
		r := newRig(t)
		r.play(s, begin, begin+600)
		if first := r.firstAt(101, growth.Suspected); first >= 0 {
			t.Errorf("watched from minute %d, flagged at %d", begin, first)
		}
	}
}
