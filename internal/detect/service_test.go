package detect

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

const (
	inService    ID = 1 << 40 // added to the ID of a group
	theService   ID = 1 << 41
	hour            = 60
	perHourInAll    = 24.0 / hour
)

// fleet is the instances of one service.
type fleet []*scene

func newFleet(instances int) fleet {
	f := make(fleet, instances)
	for i := range f {
		f[i] = newScene()
		f[i].process, f[i].service = ID(i+1), theService
		f[i].residents(100, 200, 5)
	}
	return f
}

// leak adds goroutines at random times to random instances, which never end.
func (f fleet) leak(signature ID, perMinute float64, from, until int) {
	r := rand.New(rand.NewPCG(1, uint64(signature)))
	for at := float64(from); at < float64(until); at += r.ExpFloat64() / perMinute {
		s := f[r.IntN(len(f))]
		s.groups[signature] = append(s.groups[signature], one{born: int(at), dies: forever})
		s.entries[signature] = signature + 100
	}
}

// playFleet observes scrapes of all instances, one a minute and batch.
func (r *rig) playFleet(f fleet, from, until int) {
	for now := from; now < until; now++ {
		var all []Reading
		for _, s := range f {
			if now >= s.start {
				all = append(all, s.at(now)...)
			}
		}
		r.observe(all)
	}
}

// deploy replaces the processes of a fleet.
func (f fleet) deploy(at int) {
	for _, s := range f {
		s.start = at
		for signature, all := range s.groups {
			s.groups[signature] = slices.DeleteFunc(all, func(o one) bool { return o.born >= 0 && o.born < at })
		}
	}
}

// Instances that leak too slowly to be flagged by themselves are flagged together, as one finding.
func TestReplicasAreFoundTogether(t *testing.T) {
	r := newRig(t)
	f := newFleet(20)
	f.leak(101, perHourInAll, 0, 5*hour)
	r.playFleet(f, 0, 5*hour)
	if at := r.firstAt(inService|101, growth.Probable); at < 2*hour || at > 4*hour {
		t.Errorf("probable in the service at minute %d", at)
	}
	for _, v := range r.sorted() {
		switch {
		case !v.Service && v.Severity > growth.Suspected:
			t.Errorf("%x is flagged by itself", v.Group)
		case v.Service && v.Group != inService|101 && v.Severity > growth.Suspected:
			t.Errorf("%x is flagged in the service", v.Group)
		case v.Service && v.Group == inService|101 && v.Severity == growth.Probable && v.At == minute(5*hour-1):
			if v.Of != 20 || v.Instances < 15 || v.Finding != inService|101 || v.Leaked < 80 || v.PerHour < 12 || v.PerHour > 36 {
				t.Errorf("%+v", v)
			}
		}
	}
}

// A leak that no single life shows is flagged by the sum of many. A deploy that fixes it ends the flag.
func TestLivesAreAddedUp(t *testing.T) {
	const repaired = 72 * hour
	r := newRig(t)
	f := newFleet(1)
	f.leak(101, 2.0/hour, 0, repaired)
	for at := 0; at < repaired+12*hour; at += 4 * hour {
		f.deploy(at)
		r.playFleet(f, at, at+4*hour)
	}
	at := r.firstAt(inService|101, growth.Probable)
	if at < 20*hour || at > 48*hour {
		t.Errorf("probable in the service after %d h", at/hour)
	}
	if ends := r.ends(inService | 101); !slices.Equal(ends, []End{ProcessGone}) {
		t.Errorf("ended: %v", ends)
	}
	for _, v := range r.sorted() {
		if v.Group == inService|101 && v.Ended != NotEnded && (v.At < minute(repaired) || v.At > minute(repaired+10*hour)) {
			t.Errorf("ended after %d h", (v.At-minute(0))/int64(3600e9))
		}
	}
}

// Goroutines that start with each instance, or in all of them at once, are no leak of the service.
func TestScalingOutIsNoLeak(t *testing.T) {
	const from, to = 5, 20
	r := newRig(t)
	f := newFleet(to)
	for i, s := range f {
		if i >= from {
			s.start = 2*hour + (i-from)*10
		}
		for range 30 { // its pool
			s.groups[101] = append(s.groups[101], one{born: s.start, dies: forever})
		}
		for j := from; j < to; j++ { // and one to each instance that is added
			if at := 2*hour + (j-from)*10; at > s.start {
				s.groups[101] = append(s.groups[101], one{born: at, dies: forever})
			}
		}
		s.entries[101] = 201
	}
	r.playFleet(f, 0, 12*hour)
	for _, v := range r.sorted() {
		if v.Service && v.Severity >= growth.Probable {
			t.Fatalf("flagged in the service: %+v", v)
		}
	}
}

// The service has the severity of an instance that is flagged by itself, under the same ID.
func TestServiceHasTheSeverityOfItsInstances(t *testing.T) {
	r := newRig(t)
	f := newFleet(3)
	f[0].leak(101, 201, 1, 0, 4*hour)
	r.playFleet(f, 0, 4*hour)
	alone, together := r.firstAt(101, growth.Probable), r.firstAt(inService|101, growth.Probable)
	if alone < 0 || together < alone || together > alone+1 {
		t.Errorf("probable at minute %d, in the service at %d", alone, together)
	}
	last := r.sorted()
	for _, v := range last[len(last)-4:] {
		if v.Severity > growth.None && (v.Finding != inService|101 || v.Service && (v.Instances != 1 || v.Of != 3 || v.Together)) {
			t.Errorf("%+v", v)
		}
	}
}

// Former lives still count after a restart of the detector.
func TestServiceIsRemembered(t *testing.T) {
	f := newFleet(20)
	f.leak(101, perHourInAll, 0, 5*hour)
	at := func(restart bool) int {
		r := newRig(t)
		r.playFleet(f, 0, 2*hour)
		if restart {
			r.restart()
		}
		r.playFleet(f, 2*hour, 5*hour)
		return r.firstAt(inService|101, growth.Probable)
	}
	if with, without := at(true), at(false); with != without {
		t.Errorf("probable at minute %d, without a restart at %d", with, without)
	}
}

// A service of very many instances is judged as often as one of few.
func TestManyInstances(t *testing.T) {
	const instances = 2000
	r := newRig(t)
	r.d.config.MaxGroups = 20_000
	f := newFleet(instances)
	f.leak(101, 3, 0, 100)
	r.playFleet(f, 0, 90)
	of := r.d.groups[inService|101]
	if of == nil || len(of.asService.members) < instances/20 {
		t.Fatalf("%+v", of)
	}
}

// One instance with a wrong clock neither ends the flag of its service nor silences it.
func TestOneWrongClock(t *testing.T) {
	for name, ahead := range map[string]int{"an hour": hour, "two days": 48 * hour, "years": 24 * 365 * 50 * hour, "behind": -5 * hour} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			f := newFleet(10)
			f.leak(101, 2, 0, 7*hour)
			r.playFleet(f, 0, 5*hour)
			odd := newFleet(11)[10]
			said := 0
			for now := 5 * hour; now < 7*hour; now++ {
				var all []Reading
				for _, s := range f {
					all = append(all, s.at(now)...)
				}
				for _, reading := range odd.at(now) {
					reading.At += int64(ahead) * int64(60e9)
					reading.Start = reading.At - 1
					all = append(all, reading)
				}
				for _, v := range r.observe(all) {
					if v.Group != inService|101 {
						continue
					}
					if v.Severity < growth.Probable || v.At > minute(now) {
						t.Fatalf("minute %d: %+v", now, v)
					}
					said++
				}
			}
			if said < 100 {
				t.Errorf("said %d times in two hours", said)
			}
		})
	}
}

// If the clocks of the whole fleet are set back, verdicts resume after a while.
func TestClocksThatAreSetBack(t *testing.T) {
	r := newRig(t)
	f := newFleet(5)
	f.leak(101, 2, 0, 12*hour)
	r.playFleet(f, 0, 5*hour)
	said := 0
	for now := 5 * hour; now < 9*hour; now++ {
		var all []Reading
		for _, s := range f {
			all = append(all, s.at(now)...)
		}
		for i := range all {
			all[i].At -= int64(30 * hour * 60e9)
			all[i].Start = minute(-40 * hour)
		}
		r.clock += int64(time.Minute)
		for _, v := range r.observe(all) {
			if v.Service && v.Group == inService|101 && v.Severity > growth.None {
				said++
			}
		}
	}
	if said < hour {
		t.Errorf("said %d times in four hours", said)
	}
}

// Several lines of one function in a process count as one life.
func TestLinesOfOneProcessAreOneLife(t *testing.T) {
	var d Detector
	rules := testRules()
	p := &serviceGroup{}
	d.groups, d.clock = make(map[ID]*group), minute(500)
	for process := ID(1); process <= 2; process++ {
		for line := range ID(3) {
			g := &group{process: process, census: true, first: minute(0), start: minute(0), at: minute(500), seen: toSeconds(minute(500))}
			g.levels = []level{{bound: int64(bounds[0])}}
			if line > 0 { // in the first nobody came
				g.levels[0].aged, g.levels[0].since = 4, toSeconds(minute(100))
			}
			name := process*10 + line
			d.groups[name] = g
			p.members = append(p.members, member{process, name})
		}
	}
	d.sumLives(p, rules, minute(500), instanceSummary{instances: 2})
	if got := p.sums[0].life; got.Lives != 2 || got.Arrivals != 16 || got.Watched > 17 {
		t.Errorf("%+v", got)
	}
	if got := p.perHour; got < 1.9 || got > 2.1 { // 16 in two processes of eight hours
		t.Errorf("%.2f an hour", got)
	}
	for _, m := range slices.Clone(p.members) {
		d.groups[1<<40] = &group{asService: p}
		p.rules = rules
		d.groups[m.group].service = 1 << 40
		d.leave(m.group, d.groups[m.group])
	}
	if got := p.past[0].life; got.Lives != 2 || got.Arrivals != 16 || len(p.members) != 0 {
		t.Errorf("left: %+v", got)
	}
}

// Ignoring one line of a function does not hide another.
func TestIgnoringOneLine(t *testing.T) {
	r := newRig(t)
	s := newScene()
	s.service = theService
	s.leak(101, 201, 1, 0, 300)
	s.leak(102, 201, 1, 0, 300)
	severity := growth.None
	for now := range 300 {
		all := s.at(now)
		for i := range all {
			if all[i].ServiceGroup == inService|102 {
				all[i].ServiceGroup = inService | 101 // two lines of one function
				all[i].Ignored = true
			}
		}
		for _, v := range r.observe(all) {
			if v.Group == inService|101 {
				severity = v.Severity
				if v.Leaked > float64(now) {
					t.Fatalf("%+v", v)
				}
			}
		}
	}
	if severity != growth.Probable {
		t.Errorf("severity %d", severity)
	}
}

// A pool that replicas acquit is still acquitted after a restart of the detector.
func TestAcquittalOutlivesARestart(t *testing.T) {
	const instances, size = 10, 100
	for _, restarts := range []bool{false, true} {
		r := newRig(t)
		f := newFleet(instances)
		random := rand.New(rand.NewPCG(1, 1))
		for _, s := range f {
			for range size {
				s.groups[101] = append(s.groups[101], one{born: int(random.ExpFloat64() * 3 * hour), dies: forever})
			}
			s.entries[101] = 201
		}
		for now := 0; now < 12*hour; now += hour {
			r.playFleet(f, now, now+hour)
			if !restarts {
				continue
			}
			r.restart()
		}
		for _, v := range r.sorted() {
			if v.Severity >= growth.Probable {
				t.Errorf("with restarts: %t, flagged at minute %d", restarts, (v.At-minute(0))/60e9)
				break
			}
		}
	}
}

// Arrivals in independent instances hardly ever look synchronous.
func TestIndependentInstances(t *testing.T) {
	const cases = 5000
	random := rand.New(rand.NewPCG(1, 1))
	poisson := func(mean float64) float64 {
		n := -1.0
		for at := 0.0; at < mean; at += random.ExpFloat64() {
			n++
		}
		return n
	}
	for _, tc := range []struct {
		mean  float64 // instances a look
		looks int
		once  float64 // how many in each that have any
		share float64 // of cases that seem to come together, at most; at least 0.99 if once is above 1
	}{
		{0.05, 30, 1, 0.015},
		{1.2, 30, 1, 0.01},
		{0.05, 60, 1, 0.008},
		{0.3, 60, 1, 0.003},
		{5, 60, 1, 0.003},
		{0.3, 60, 10, 1},
	} {
		together := 0
		for range cases {
			var s arrivalSpread
			for range tc.looks {
				s.note(tc.once * poisson(tc.mean))
			}
			if s.isSynchronous() {
				together++
			}
		}
		got := float64(together) / cases
		if got > tc.share || tc.once > 1 && got < 0.99 {
			t.Errorf("%+v: together in %.4f of cases", tc, got)
		}
	}
}
