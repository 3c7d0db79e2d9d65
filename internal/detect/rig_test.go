package detect

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// epoch is the arbitrary start time of the scenes.
var epoch = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

func minute(n int) int64 { return epoch.Add(time.Duration(n) * time.Minute).UnixNano() }

func testRules() *growth.Rules {
	return &growth.Rules{MinDuration: 30 * time.Minute, MinLeaked: 10, MaxLifetime: 12 * time.Hour}
}

func testConfig() Config {
	return Config{MinDuration: 30 * time.Minute, MaxStale: 24 * time.Hour, MaxGroups: 1000}
}

// Bounds of the age bands of the scenes.
var bounds = []time.Duration{10 * time.Minute, 80 * time.Minute, 320 * time.Minute}

// one is a goroutine from birth to death, in minutes. It moves to its signature at a later time, from
// one of the same entry that is not watched.
type one struct{ born, dies, moves int }

// forever is the death of leaked goroutines.
const forever = 1 << 30

// scene is the goroutines of one process, by signature. All signatures below 100 share an entry, like
// goroutines that loop forever; the others have one each.
type scene struct {
	process ID
	start   int // minute
	groups  map[ID][]one
	entries map[ID]ID
	rules   *growth.Rules
	noCount bool
	counts  bool // alone
	noBands bool
	peer    bool // all are held by a peer
	service ID
	ranks   map[ID]Rank
}

func newScene() *scene {
	return &scene{process: 1, groups: make(map[ID][]one), entries: make(map[ID]ID), rules: testRules()}
}

// leak adds a goroutine every so many minutes, which never ends.
func (s *scene) leak(signature, entry ID, every, from, until int) {
	for at := from; at < until; at += every {
		s.groups[signature] = append(s.groups[signature], one{born: at, dies: forever})
	}
	s.entries[signature] = entry
}

// residents adds goroutines that exist from the beginning and stay.
func (s *scene) residents(signature, entry ID, n int) {
	for range n {
		s.groups[signature] = append(s.groups[signature], one{born: -1000, dies: forever})
	}
	s.entries[signature] = entry
}

// sessions adds goroutines that start at random times and live for a random time.
func (s *scene) sessions(signature, entry ID, perMinute, mean float64, until int) {
	r := rand.New(rand.NewPCG(1, uint64(signature)))
	for at := 0.0; at < float64(until); at += r.ExpFloat64() / perMinute {
		s.groups[signature] = append(s.groups[signature], one{born: int(at), dies: int(at + 1 + r.ExpFloat64()*mean)})
	}
	s.entries[signature] = entry
}

// at returns the readings of a scrape. No age exceeds the time of observation.
func (s *scene) at(now int) []Reading {
	var readings []Reading
	members := make(map[ID][]one)
	for _, signature := range sortedKeys(s.groups) {
		entry := s.entries[signature]
		here := slices.DeleteFunc(slices.Clone(s.groups[signature]), func(o one) bool { return o.moves > now })
		readings = append(readings, s.readings(Stack, signature, entry, s.census(here, now), now)...)
		members[entry] = append(members[entry], s.groups[signature]...)
	}
	for _, entry := range sortedKeys(members) {
		readings = append(readings, s.readings(Entry, entry, 0, s.census(members[entry], now), now)...)
	}
	return readings
}

// id returns the ID of a group or entry, which differs between processes.
func (s *scene) id(group ID) ID {
	if group == 0 {
		return 0
	}
	return (s.process-1)<<32 | group
}

// inService returns the ID of a group or entry in the service; 0 if there is no service.
func (s *scene) inService(group ID) ID {
	if s.service == 0 {
		return 0
	}
	return 1<<40 | group
}

type census struct {
	count       int
	aged, exits [3]int
}

func (s *scene) census(all []one, now int) census {
	var c census
	for _, o := range all {
		seen := max(o.born, s.start)
		until := min(now, o.dies)
		if o.born > now || o.dies <= s.start {
			continue
		}
		age := time.Duration(until-seen) * time.Minute
		band := -1
		for i, bound := range bounds {
			if age >= bound {
				band = i
			}
		}
		switch {
		case o.dies > now:
			c.count++
			if band >= 0 {
				c.aged[band]++
			}
		case band >= 0:
			c.exits[band]++
		}
	}
	return c
}

func (s *scene) readings(kind Kind, group, entry ID, c census, now int) []Reading {
	make1 := func(part Part, band time.Duration, value int) Reading {
		return Reading{
			Process: s.process, Group: s.id(group), Entry: s.id(entry), Rules: s.rules, Kind: kind, Part: part, Band: band,
			At: minute(now), Start: minute(s.start), Value: float64(value), HeldByPeer: s.peer && kind == Stack,
			Service: s.service, ServiceGroup: s.inService(group), Rank: s.ranks[group],
		}
	}
	var readings []Reading
	if !s.noCount {
		readings = append(readings, make1(Count, 0, c.count))
	}
	if s.counts {
		return readings
	}
	if s.noBands {
		aged, exits := 0, 0
		for i := range bounds {
			aged, exits = aged+c.aged[i], exits+c.exits[i]
		}
		return append(readings, make1(Aged, 0, aged), make1(Exits, 0, exits))
	}
	for i, bound := range bounds {
		if i == 0 || c.aged[i] > 0 || now-s.start >= int(bound.Minutes()) { // a band that empties sends 0 for a while
			readings = append(readings, make1(Aged, bound, c.aged[i]))
		}
		if i == 0 || c.exits[i] > 0 {
			readings = append(readings, make1(Exits, bound, c.exits[i]))
		}
	}
	return readings
}

// rig is a detector and its results.
type rig struct {
	t        testing.TB
	d        *Detector
	verdicts []Verdict
	refused  map[Reason]int
	clock    int64
	newest   int64 // time of the data
}

func newRig(t testing.TB) *rig { return &rig{t: t, d: New(testConfig()), refused: map[Reason]int{}} }

func (r *rig) observe(readings []Reading) []Verdict {
	// The clock follows the data, within limits.
	newest := r.newest
	for i := range readings {
		newest = max(newest, readings[i].At)
	}
	r.clock += min(max(newest-r.newest, int64(time.Second)), int64(time.Minute))
	r.newest = newest
	return r.take(r.d.Observe(r.clock, slices.Clone(readings)))
}

// restart replaces the detector by a new one with the saved state.
func (r *rig) restart() {
	state := encode(r.t, r.d)
	r.d = New(testConfig())
	if err := r.d.UnmarshalBinary(state); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) take(result *Result) []Verdict {
	for why, n := range result.Refused {
		r.refused[why] += n
	}
	r.verdicts = append(r.verdicts, result.Verdicts...)
	return result.Verdicts
}

// play observes the scrapes of a scene, one a minute and batch.
func (r *rig) play(s *scene, from, until int) {
	for now := from; now < until; now++ {
		r.observe(s.at(now))
	}
}

// sorted returns all verdicts by time and group.
func (r *rig) sorted() []Verdict {
	r.take(r.d.Flush())
	slices.SortFunc(r.verdicts, func(a, b Verdict) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Group, b.Group))
	})
	return r.verdicts
}

// firstAt returns the minute of the first verdict of at least a severity on a group, or -1.
func (r *rig) firstAt(group ID, severity growth.Severity) int {
	for _, v := range r.sorted() {
		if v.Group == group && v.Severity >= severity {
			return int(time.Unix(0, v.At).Sub(epoch).Minutes())
		}
	}
	return -1
}

// ends returns the reasons why the flags of a group ended.
func (r *rig) ends(group ID) []End {
	var ends []End
	for _, v := range r.sorted() {
		if v.Group == group && v.Ended != NotEnded {
			ends = append(ends, v.Ended)
		}
	}
	return ends
}
