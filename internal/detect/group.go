package detect

import (
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// group is what is remembered of one group of goroutines, or of one memory metric.
// There may be very many, so what few need is behind a pointer.
//
// Among healthy goroutines that leave all the time a leak shows only at an age that
// those never reach. So a group is judged at levels: the goroutines at least as old as
// the lower bound of each age band. Where no bands are known there is one level, and
// where there is no census it is the count.
type group struct {
	process ID
	levels  []level
	counts  *level // the count, where there is no census
	proof   *proof
	joint   *joint // of an entry
	pool    *pool  // of a group of a service
	recent  *recent
	flag    *flag // while it is shown, and for a while after

	at         int64   // of the latest observation, Unix ns
	censusAt   int64   // of the latest one with a census, Unix ns
	start      int64   // that was known last, Unix ns; 0 is unknown
	first      int64   // when the group was first observed in this process, Unix ns
	started    int64   // time of the first observation with this start, Unix ns
	firstCount float32 // then; negative while it is unknown
	held       float32 // the lowest level before this start, while nobody knows who is still there
	count      float32
	grown      float32 // by how much its lowest level has grown
	looked     float32 // how many had come when its service was looked at

	service ID // the group of its service, once it is a member of that

	seen     seconds // the detector's clock at the last reading
	kind     Kind
	had      parts           // of the latest observation
	raw      growth.Severity // that its own evidence shows
	severity growth.Severity // that is shown
	census   bool            // there was one
	peer     bool            // its goroutines are held by a peer
	ignored  bool            // the user does not want to be told of it
	behind   bool            // the start of the latest observation was earlier than start; not kept
}

// reset forgets all but who it is.
func (g *group) reset() {
	*g = group{process: g.process, kind: g.kind, service: g.service, seen: g.seen, proof: g.proof, flag: g.flag, severity: g.severity}
}

// judgement is what the evidence says of an observation.
type judgement struct {
	growth.Verdict
	former []formerLife  // of the process that was there before
	bound  time.Duration // of the level that it is about
	exits  float64       // from that level, in all
	census bool
	known  bool // there was anything to be judged
	lapsed bool // what proved it was not told again
}

// observe takes an observation. lowest is the bound of the lowest age band that the
// process has; -1 is unknown. scrape is the number of the scrape. entry is the group's entry
// and service the group of its service, nil if it has none.
func (g *group) observe(o *observation, lowest time.Duration, scrape uint32, entry *group, service *pool) judgement {
	census := o.has&censusParts == censusParts && o.bands[0].has == censusParts && (lowest < 0 || o.bands[0].bound <= lowest)
	counted := o.has&countPart != 0
	defer func() { g.at, g.had = o.at, o.has }()
	if !census && !counted {
		return judgement{}
	}
	begins := census && !g.census
	ends := g.census && !census && o.at-g.censusAt > int64(heldFor)
	if begins || ends || census && len(g.levels) > 0 && g.levels[0].bound != int64(o.bands[0].bound) {
		// Counts and exits need not have the same start, and the later one would
		// pass for a new process, after which growth is believed sooner.
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
	g.takeBands(o.bands)
	before, aged := float32(0), float32(0)
	for i := range g.levels {
		before, aged = g.levels[0].aged, aged+g.levels[i].own
	}
	g.noteArrivals(scrape, max(before, g.firstCount), max(aged, g.firstCount)) // residents do not come
	j := g.judgeLevels(o, counted, entry, service)
	j.former = append(former, j.former...)
	return j
}

// heldFor is for how long what a census has shown holds when no census comes any more, but
// counts do. It is for as long as package growth holds a flag without new evidence.
const heldFor = 24 * time.Hour

// judgeCount judges an observation without a census. Where there was one the levels are
// unknown, and what they have shown holds; after MinDuration the count is watched as well.
func (g *group) judgeCount(o *observation, scrape uint32) judgement {
	r := o.reading.Rules
	worst := judgement{known: true}
	for i := range g.levels {
		if l := &g.levels[i]; l.evidence != nil {
			// An observation that is not later changes nothing.
			v := l.evidence.Observe(r, growth.Observation{At: l.evidence.Last()})
			worst.take(v, l, true)
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
	worst.take(v, g.counts, false)
	return worst
}

// take takes the verdict on a level if it is worse than those before.
func (j *judgement) take(v growth.Verdict, l *level, census bool) {
	ended := max(j.Ended, v.Ended)
	if v.Severity > j.Severity || v.Severity == j.Severity && v.Leaked > j.Leaked {
		j.Verdict, j.bound, j.exits, j.census = v, time.Duration(l.bound), l.exits, census && l.bound > 0
	}
	j.Ended = ended
}

// noticeStart notices that a process, or the watching of it, has begun. It returns what
// levels without evidence have shown of the life before.
func (g *group) noticeStart(o *observation, census, counted bool) (former []formerLife) {
	start := o.start()
	if !g.census || census && slices.ContainsFunc(o.bands, func(b band) bool { return b.delta }) {
		start = o.countStart // deltas do not tell it
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
					f.life.Lives = 0 // it may be another watcher of the same life
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

// judgeLevels adds the observation to the evidence of each level and returns the worst
// of what it shows.
func (g *group) judgeLevels(o *observation, counted bool, entry *group, service *pool) judgement {
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
		worst.take(verdicts[i], &g.levels[i], true)
	}
	return worst
}

// acquitMoved takes back the verdicts on levels of a signature that have grown by
// goroutines that have merely moved there. Those of an upper level are part of the lower
// ones as well.
func (g *group) acquitMoved(verdicts *[maxBands]growth.Verdict, entry *group, minLeaked float64) {
	moved := 0.0
	for i := range slices.Backward(g.levels) {
		grown := g.levels[i].grown()
		switch {
		case entry.merelyMoves(g.levels[i].bound, grown):
			moved = grown
		case moved == 0 || grown-moved >= minLeaked:
			continue
		}
		verdicts[i].Severity = growth.None
	}
}

// merelyMoves tells whether goroutines of an age by which a signature of an entry has grown
// have come from elsewhere in the entry. The workers of a pool that wait for a database, as
// load rises, do not leave by themselves, and look like a leak there: but no worker is new.
// At least as many must have got that old in the entry since its watching began: those that
// it has grown by, and those that have left it. Half of them are asked for, since the two
// are not watched from the same moment.
func (g *group) merelyMoves(bound int64, grown float64) bool {
	if !g.census || grown == 0 {
		return false
	}
	came := 0.0
	if l := g.levelAt(time.Duration(bound)); l != nil {
		came = l.grown() + l.exits
	}
	return came < grown/2
}

// atLeast returns how many goroutines there are. If nobody said so there are those who
// are aged; and after a new start, which may be that of another watcher, those from
// before may be there until they had the time to age again.
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
