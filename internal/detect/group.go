package detect

import (
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// group is the state of one group of goroutines, or of one memory metric. There may be very many, so
// fields that few need are pointers.
//
// Beside healthy goroutines that come and go, a leak shows only at an age that they never reach. So
// a group is judged at levels: the goroutines at least as old as the lower bound of each age band.
// Without bands there is one level, and without a census it is the count.
type group struct {
	process   ID
	levels    []level
	counts    *level // count, if there is no census
	proof     *proof
	joint     *joint        // of an entry
	asService *serviceGroup // of a group of a service
	recent    *recentArrivals
	flag      *flag // while it is flagged, and for a while after

	at            int64   // latest observation, Unix ns
	censusAt      int64   // latest observation with a census, Unix ns
	start         int64   // latest known start, Unix ns; 0 if unknown
	first         int64   // first observation in this process, Unix ns
	started       int64   // first observation with this start, Unix ns
	firstCount    float32 // count at first; negative if unknown
	held          float32 // lowest level before this start, until goroutines can have aged again
	count         float32
	grown         float32 // growth of its lowest level
	arrivedAtLook float32 // result of arrived when the lives of its service were last added

	service ID // its service group, once it is a member

	seen     seconds // the detector's clock at the last reading
	kind     Kind
	had      parts           // of the latest observation
	raw      growth.Severity // by its own evidence
	severity growth.Severity // shown
	census   bool            // there was a census
	peer     bool            // its goroutines are held by a peer
	ignored  bool            // the user has excluded it
	behind   bool            // the start of the latest observation was before start; not saved
}

// reset clears all but the identity, the proof and the flag of the group.
func (g *group) reset() {
	*g = group{process: g.process, kind: g.kind, service: g.service, seen: g.seen, proof: g.proof, flag: g.flag, severity: g.severity}
}

// judgement is the assessment of an observation.
type judgement struct {
	growth.Verdict
	former []formerLife  // of the previous process
	bound  time.Duration // of the level with the verdict
	exits  float64       // total exits from that level
	census bool
	known  bool // there was something to judge
	lapsed bool // the proof was not repeated
}

// observe adds an observation. lowest is the bound of the lowest age band of the process; -1 if
// unknown. scrape is the number of the scrape. entry and service are the entry and the service
// group of the group, or nil.
func (g *group) observe(o *observation, lowest time.Duration, scrape uint32, entry *group, service *serviceGroup) judgement {
	census := o.has&censusParts == censusParts && o.bands[0].has == censusParts && (lowest < 0 || o.bands[0].bound <= lowest)
	counted := o.has&countPart != 0
	defer func() { g.at, g.had = o.at, o.has }()
	if !census && !counted {
		return judgement{}
	}
	begins := census && !g.census
	ends := g.census && !census && o.at-g.censusAt > int64(censusHold)
	if begins || ends || census && len(g.levels) > 0 && g.levels[0].bound != int64(o.bands[0].bound) {
		// Counts and exits may have different starts, and the later one would look like a
		// new process, after which growth is believed sooner.
		g.census, g.levels, g.counts, g.start, g.first = census, nil, nil, 0, 0
	}
	g.peer = o.reading.HeldByPeer
	former := g.noticeStart(o, census, counted)
	if counted {
		g.count = float32(o.count)
	}
	if !census {
		return g.judgeCount(o, scrape)
	}
	g.censusAt, g.counts = o.at, nil
	g.setBands(o.bands)
	before, aged := float32(0), float32(0)
	for i := range g.levels {
		before, aged = g.levels[0].aged, aged+g.levels[i].own
	}
	g.noteArrivals(scrape, max(before, g.firstCount), max(aged, g.firstCount)) // residents are not arrivals
	j := g.judgeLevels(o, counted, entry, service)
	j.former = append(former, j.former...)
	return j
}

// censusHold is how long the verdict of a census holds while only counts arrive: as long as package
// growth holds a flag without new evidence.
const censusHold = 24 * time.Hour

// judgeCount judges an observation without a census. If there was a census before, its verdicts hold,
// and after MinDuration the count is judged too.
func (g *group) judgeCount(o *observation, scrape uint32) judgement {
	r := o.reading.Rules
	worst := judgement{known: true}
	for i := range g.levels {
		if l := &g.levels[i]; l.evidence != nil {
			// An observation that is not later has no effect.
			v := l.evidence.Observe(r, growth.Observation{At: l.evidence.Last()})
			worst.merge(v, l, true)
		}
	}
	if g.census && o.at-g.censusAt < int64(r.MinDuration) {
		return worst
	}
	if g.counts == nil {
		g.counts = &level{aged: float32(o.count)}
	}
	g.noteArrivals(scrape, g.counts.aged, float32(o.count))
	v := g.judgeLevel(g.counts, r, growth.Observation{
		At: time.Unix(0, o.at), Start: timeOf(g.start), First: time.Unix(0, g.first), Count: o.count, HeldByPeer: o.reading.HeldByPeer,
	})
	g.grown = float32(g.counts.grown())
	worst.merge(v, g.counts, false)
	return worst
}

// merge adopts the verdict on a level if it is more severe.
func (j *judgement) merge(v growth.Verdict, l *level, census bool) {
	ended := max(j.Ended, v.Ended)
	if v.Severity > j.Severity || v.Severity == j.Severity && v.Leaked > j.Leaked {
		j.Verdict, j.bound, j.exits, j.census = v, time.Duration(l.bound), l.exits, census && l.bound > 0
	}
	j.Ended = ended
}

// noticeStart detects the start of a process or a watcher. It returns the former lives of levels
// without evidence.
func (g *group) noticeStart(o *observation, census, counted bool) (former []formerLife) {
	start := o.start()
	if !g.census || census && slices.ContainsFunc(o.bands, func(b band) bool { return b.delta }) {
		start = o.countStart // deltas have no start
	}
	if start != 0 {
		behind := start < g.start
		o.returned = behind && !g.behind
		g.behind = behind
	}
	again := start > g.start && g.start != 0
	if again && census {
		for i := range g.levels {
			if l := &g.levels[i]; l.evidence == nil && (l.aged > 0 || l.exits > 0) {
				f := formerLife{l.bound, g.lifeOf(l, o.reading.Rules)}
				if counted && o.count >= float64(l.aged) {
					f.life.Lives = 0 // may be another watcher of the same life
				}
				former = append(former, f)
			}
		}
	}
	if again || g.first == 0 {
		g.first, g.started, g.firstCount, g.held = o.at, o.at, -1, 0
		if counted {
			g.firstCount = float32(o.count)
		}
	}
	if again && census {
		if len(g.levels) > 0 {
			g.held = g.levels[0].aged
		}
		for i := range g.levels {
			l := &g.levels[i]
			l.exits, l.ownExits = 0, 0
			if l.evidence == nil {
				l.aged, l.since = 0, 0
			}
		}
	}
	g.start = max(g.start, start)
	return former
}

// judgeLevels adds the observation to the evidence of each level and returns the most severe
// verdict.
func (g *group) judgeLevels(o *observation, counted bool, entry *group, service *serviceGroup) judgement {
	worst := judgement{known: true}
	var sums [maxBands]struct{ aged, exits float64 }
	var aged, exits float64
	for i := range slices.Backward(g.levels) {
		aged += float64(g.levels[i].own)
		exits += g.levels[i].ownExits
		sums[i].aged, sums[i].exits = aged, exits
	}
	now := growth.Observation{
		At:         time.Unix(0, o.at),
		Start:      timeOf(g.start),
		First:      time.Unix(0, g.first),
		Count:      g.atLeast(o, counted, aged),
		Census:     true,
		HeldByPeer: o.reading.HeldByPeer,
	}
	var verdicts [maxBands]growth.Verdict
	for i := range g.levels {
		l := &g.levels[i]
		now.Bound, now.Aged, now.Exits = time.Duration(l.bound), sums[i].aged, sums[i].exits
		if service != nil {
			now.Service = service.sumOf(l.bound)
		}
		verdicts[i] = g.judgeLevel(l, o.reading.Rules, now)
		if former := verdicts[i].Former; former != nil {
			worst.former = append(worst.former, formerLife{l.bound, *former})
		}
		if i == 0 && l.evidence != nil {
			now.Process = l.evidence.Process()
			g.grown = float32(l.evidence.Grown())
		}
	}
	if entry != nil {
		g.acquitMoved(&verdicts, entry, o.reading.Rules.MinLeaked)
	}
	for i := range g.levels {
		worst.merge(verdicts[i], &g.levels[i], true)
	}
	return worst
}

// acquitMoved resets the verdicts on levels of a signature that have grown by goroutines that merely
// moved there. Those of an upper level are part of the lower ones too.
func (g *group) acquitMoved(verdicts *[maxBands]growth.Verdict, entry *group, minLeaked float64) {
	moved := 0.0
	for i := range slices.Backward(g.levels) {
		grown := g.levels[i].grown()
		switch {
		case entry.grewByMoving(g.levels[i].bound, grown):
			moved = grown
		case moved == 0 || grown-moved >= minLeaked:
			continue
		}
		verdicts[i].Severity = growth.None
	}
}

// grewByMoving reports whether a signature of an entry grew, at the level of bound, by goroutines from
// elsewhere in the entry. For example, more and more workers of a pool wait for a database as load
// rises, and do not leave by themselves, which looks like a leak; but no worker is new. For a leak,
// the growth and the exits of the entry at that level must be at least half the growth of the
// signature; half, since both are not watched from the same moment.
func (g *group) grewByMoving(bound int64, grown float64) bool {
	if !g.census || grown == 0 {
		return false
	}
	came := 0.0
	if l := g.levelAt(time.Duration(bound)); l != nil {
		came = l.grown() + l.exits
	}
	return came < grown/2
}

// atLeast returns the number of goroutines. If it is unknown, it is the number of aged ones; or, after
// a new start, which may be another watcher, the number from before until they had time to age
// again.
func (g *group) atLeast(o *observation, counted bool, aged float64) float64 {
	switch {
	case counted:
		return o.count
	case float64(g.held) > aged && o.at-g.started <= int64(o.reading.Rules.MinDuration)+g.levels[0].bound:
		return float64(g.held)
	}
	return aged
}

func timeOf(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}
