package detect

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// TestRestartOfTheAgentKeepsFlags restarts the watcher of a leaking process. It begins a new census, no
// goroutine is aged for a while, and its first scrapes arrive together.
func TestRestartOfTheAgentKeepsFlags(t *testing.T) {
	for name, change := range map[string]func(*scene){
		"census":        func(*scene) {},
		"count dropped": func(s *scene) { s.noCount = true },
		"one band":      func(s *scene) { s.noBands = true },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			change(s)
			s.leak(101, 201, 1, 5, 2000)
			s.residents(102, 202, 40)
			r := newRig(t)
			r.play(s, 0, 300)
			if r.firstAt(101, growth.Probable) < 0 {
				t.Fatal("not flagged before the restart")
			}
			s.start = 303
			for now := 303; now < 600; now += 2 {
				batch := slices.Concat(s.at(now), s.at(now+1))
				rand.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
				r.observe(batch)
			}
			if ends := r.ends(101); len(ends) > 0 {
				t.Errorf("ended: %v", ends)
			}
		})
	}
}

// loop returns a process with goroutines that loop forever over some lines, and a pool with the same
// entry.
func loop(lines, now int) *scene {
	s := newScene()
	r := rand.New(rand.NewPCG(uint64(now), 7))
	for line := range lines {
		s.groups[ID(1+line)], s.entries[ID(1+line)] = nil, 200
	}
	for born := range now {
		line := ID(1 + r.IntN(lines))
		s.groups[line] = append(s.groups[line], one{born: born, dies: forever})
	}
	return s
}

// shrink scales the times of a reading to a test in which a minute takes a second.
func shrink(r *Reading) {
	r.At = epoch.UnixNano() + (r.At-epoch.UnixNano())/60
	r.Start = epoch.UnixNano()
	r.Band /= 60
	r.Rules = &growth.Rules{MinDuration: 30 * time.Second, MinLeaked: 10, MaxLifetime: 12 * time.Minute}
}

// TestLoopIsNotOver checks that a leak of looping goroutines is flagged without a break, whether its
// lines or its entry show it.
func TestLoopIsNotOver(t *testing.T) {
	for _, lines := range []int{2, 3, 8} {
		for _, step := range []time.Duration{time.Minute, time.Second} {
			r := newRig(t)
			var looks []int64
			for now := range 1500 {
				readings := loop(lines, now).at(now)
				for i := range readings {
					if step == time.Second {
						shrink(&readings[i])
					}
				}
				looks = append(looks, readings[0].At)
				r.observe(readings)
			}
			told := make(map[int64]bool)
			for _, v := range r.sorted() {
				told[v.At] = told[v.At] || v.Severity >= growth.Probable
			}
			first := slices.IndexFunc(looks, func(at int64) bool { return told[at] })
			if first < 0 || first > 1200 {
				t.Fatalf("%d lines, step %v: told first at look %d", lines, step, first)
			}
			for i, at := range looks[first:] {
				if !told[at] {
					t.Errorf("%d lines, step %v: not told at look %d", lines, step, first+i)
				}
			}
			for group := ID(1); group <= 200; group++ {
				if ends := r.ends(group); len(ends) > 0 {
					t.Errorf("%d lines, step %v: group %d ended: %v", lines, step, group, ends)
				}
			}
		}
	}
}

// TestSuspectedSignatureDoesNotHideItsEntry observes a suspected line of a probable entry.
func TestSuspectedSignatureDoesNotHideItsEntry(t *testing.T) {
	d := New(testConfig())
	entry := &group{kind: Entry, process: 1, raw: growth.Probable, grown: 100, at: minute(100), joint: &joint{since: minute(10)}}
	d.groups[200] = entry
	d.processes[1] = &process{}
	signature := &group{kind: Stack, process: 1}
	d.groups[1] = signature
	d.result = &Result{}
	o := &observation{name: 1, entry: 200, group: signature, entryGroup: entry, at: minute(100), reading: Reading{Rules: testRules()}}
	suspected := judgement{known: true, Verdict: growth.Verdict{Severity: growth.Suspected, Leaked: 10}}
	entry.joint.worst, entry.joint.worstOf, entry.joint.at = growth.Suspected, 1, minute(100)
	d.showStack(nil, o, &suspected)
	if signature.severity != growth.Probable {
		t.Errorf("severity %v, want that of the entry", signature.severity)
	}
	lapsed := judgement{known: true}
	o.at, entry.at, entry.joint.worst = minute(101), minute(101), growth.None
	d.showStack(nil, o, &lapsed)
	if signature.severity != growth.Probable {
		t.Errorf("severity %v when its own evidence lapsed, want that of the entry", signature.severity)
	}
	entry.raw = growth.None
	o.at, entry.at = minute(102), minute(102)
	d.showStack(nil, o, &lapsed)
	if v := d.result.Verdicts[len(d.result.Verdicts)-1]; v.Severity != growth.None || v.Ended != Slowed || v.Group != 1 {
		t.Errorf("%+v, want an end where the flag was", v)
	}
}

// TestMemoryIsBounded sends new groups, with proofs, at one timestamp and at many.
func TestMemoryIsBounded(t *testing.T) {
	for name, at := range map[string]func(i int) int64{
		"one time":   func(int) int64 { return minute(1) },
		"many times": func(i int) int64 { return minute(1) + int64(i)*int64(time.Second) },
		"backwards":  func(i int) int64 { return minute(10_000) - int64(i)*int64(time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			c := testConfig()
			c.MaxGroups = 100
			d := New(c)
			for i := range 5000 {
				var readings []Reading
				for part := range partCount {
					readings = append(readings, Reading{Process: ID(i % 300), Group: ID(i), Rules: testRules(), Part: part, At: at(i), Value: 3})
				}
				for b := range 20 {
					readings = append(readings, Reading{Process: 1, Group: 1, Rules: testRules(), Part: Aged, Band: time.Duration(b), At: at(i), Value: 1})
				}
				d.Observe(int64(i), readings)
			}
			open := 0
			for _, p := range d.processes {
				open += len(p.open)
			}
			if len(d.groups) > 100 || len(d.processes) > 100 || d.waiting > 200 || open > 100*(maxOpen+1) {
				t.Errorf("%d groups, %d processes, %d observations and %d times wait", len(d.groups), len(d.processes), d.waiting, open)
			}
			for _, g := range d.groups {
				if len(g.levels) > maxBands {
					t.Errorf("%d levels", len(g.levels))
				}
			}
		})
	}
}

// TestHostileTimes adds one reading with a wrong time to those of a leak. It must cost neither the
// state, nor later data, nor much time.
func TestHostileTimes(t *testing.T) {
	for name, at := range map[string]int64{
		"none":          0,
		"negative":      -1,
		"the smallest":  math.MinInt64,
		"the largest":   math.MaxInt64,
		"a year ahead":  minute(250 + 365*24*60),
		"a year before": minute(250 - 365*24*60),
		"year 2106":     maxTimestamp - 1,
		"an hour ahead": minute(250 + 60),
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			s.leak(101, 201, 1, 5, 1000)
			r := newRig(t)
			r.play(s, 0, 250)
			wrong := s.at(250)
			for i := range wrong {
				wrong[i].At, wrong[i].Start = at, at
			}
			r.observe(wrong)
			r.play(s, 251, 500)
			last := r.sorted()[len(r.verdicts)-1]
			if ends := r.ends(101); len(ends) > 0 || last.Severity != growth.Probable || last.At != minute(499) {
				t.Errorf("ends %v, last %+v", ends, last)
			}
		})
	}
}

// TestUnknownIsNotZero omits a part of the readings of a flagged leak.
func TestUnknownIsNotZero(t *testing.T) {
	for name, drop := range map[string]func(r Reading) bool{
		"count":              func(r Reading) bool { return r.Part == Count },
		"aged":               func(r Reading) bool { return r.Part == Aged },
		"exits":              func(r Reading) bool { return r.Part == Exits },
		"the lowest band":    func(r Reading) bool { return r.Band == bounds[0] },
		"half of everything": func(r Reading) bool { return r.At/int64(time.Minute)%2 == 0 },
		"all for an hour":    func(Reading) bool { return true },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			s.leak(101, 201, 1, 5, 2000)
			r := newRig(t)
			r.play(s, 0, 300)
			for now := 300; now < 360; now++ {
				r.observe(slices.DeleteFunc(s.at(now), drop))
			}
			r.play(s, 360, 500)
			last := r.sorted()[len(r.verdicts)-1]
			if ends := r.ends(101); len(ends) > 0 || last.Severity != growth.Probable {
				t.Errorf("ends %v, last %+v", ends, last)
			}
		})
	}
}

// TestBandsThatBeginLater gives the exits of higher bands a start of their own, as an SDK may do for
// each series. That does not mean another process.
func TestBandsThatBeginLater(t *testing.T) {
	s := newScene()
	s.leak(101, 201, 1, 5, 1000)
	s.sessions(101, 201, 0.05, 200, 1000)
	r := newRig(t)
	for now := range 1000 {
		readings := s.at(now)
		for i := range readings {
			if readings[i].Part == Exits && readings[i].Band > bounds[0] {
				readings[i].Start = minute(now / 100 * 100)
			}
		}
		r.observe(readings)
	}
	if first, ends := r.firstAt(101, growth.Probable), r.ends(101); first < 0 || len(ends) > 0 {
		t.Errorf("probable after %d minutes, ends %v", first, ends)
	}
	if p := r.d.processes[1]; p.start != minute(0) || p.lowest[Stack].bound != bounds[0] {
		t.Errorf("start %v, lowest band %v", time.Unix(0, p.start), p.lowest[Stack].bound)
	}
}
