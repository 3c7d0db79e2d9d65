package detect

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// The state is what is remembered, as it is kept over a restart. All numbers are
// little-endian and of the size of their Go type. What waits for more readings is not
// part of it.
//
//	state      magic, version, signature version, min_duration, processes, groups, checksum
//	processes  their number, then for each: id, fields, number of flagged groups, these
//	groups     their number, then for each: id, fields, what it has of proof, joint, flag and pool, levels
//	pool       fields, then of the past, the older and the sums: number of levels, for each bound and life
//	levels     their number, then for each: fields, whether there is evidence, evidence
//	checksum   CRC-32 (Castagnoli) of all before it
const (
	stateMagic = "leak_detect"
	// stateVersion changes with every change of what is kept, and of what it
	// means.
	stateVersion = uint16(8)
)

// Why a state is of no use.
var (
	ErrNoState      = errors.New("it is not a state of this processor")
	ErrStateDamaged = errors.New("it is damaged")
	ErrStateVersion = errors.New("it is of another version of this processor")
	// ErrStateSignatures is a state of groups that no longer have these signatures.
	ErrStateSignatures = errors.New("its signatures are of another version")
	ErrStateRules      = errors.New(`"min_duration" was another one`)
)

func checksum(b []byte) uint32 {
	return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
}

// Clone returns a copy of what is kept by AppendBinary, which takes longer than to copy it.
func (d *Detector) Clone() *Detector {
	c := &Detector{config: d.config, groups: make(map[ID]*group, len(d.groups)), processes: make(map[ID]*process, len(d.processes))}
	for name, p := range d.processes {
		q := *p
		q.lost = q.lost || len(p.open) > 0
		q.open, q.flagged, q.instances = nil, slices.Clone(p.flagged), nil
		c.processes[name] = &q
	}
	for name, g := range d.groups {
		h := *g
		h.levels = slices.Clone(g.levels)
		for i := range h.levels {
			h.levels[i].evidence = pointerToCopy(h.levels[i].evidence)
		}
		h.recent = nil // is not kept
		if h.counts = pointerToCopy(g.counts); h.counts != nil {
			h.counts.evidence = pointerToCopy(h.counts.evidence)
		}
		h.proof, h.joint, h.flag, h.pool = pointerToCopy(g.proof), pointerToCopy(g.joint), pointerToCopy(g.flag), pointerToCopy(g.pool)
		if h.pool != nil {
			h.pool.members, h.pool.past, h.pool.older, h.pool.sums = nil, slices.Clone(g.pool.past), slices.Clone(g.pool.older), slices.Clone(g.pool.sums)
		}
		c.groups[name] = &h
	}
	return c
}

func pointerToCopy[T any](p *T) *T {
	if p == nil {
		return nil
	}
	value := *p
	return &value
}

// AppendBinary appends what is remembered, in a form that UnmarshalBinary reads.
func (d *Detector) AppendBinary(b []byte) ([]byte, error) {
	begin := len(b)
	e := encoder{buffer: append(b, stateMagic...)}
	e.put(stateVersion, uint16(telemetry.SignatureVersion), int64(d.config.MinDuration), uint32(len(d.processes)))
	for name, p := range d.processes {
		e.put(name)
		e.put(p.parts()...)
		e.put(uint32(len(p.flagged)), p.flagged)
	}
	e.put(uint32(len(d.groups)))
	for name, g := range d.groups {
		e.put(name)
		e.group(g)
	}
	e.put(checksum(e.buffer[begin:]))
	return e.buffer, e.err
}

// encoder appends, until something fails.
type encoder struct {
	buffer []byte
	err    error
}

func (e *encoder) put(values ...any) {
	for _, value := range values {
		if e.err == nil {
			e.buffer, e.err = binary.Append(e.buffer, binary.LittleEndian, value)
		}
	}
}

func (e *encoder) group(g *group) {
	e.put(g.parts()...)
	e.put(g.proof != nil, g.joint != nil, g.flag != nil, g.pool != nil, g.counts != nil)
	if g.proof != nil {
		e.put(g.proof.parts()...)
	}
	if g.joint != nil {
		e.put(g.joint.parts()...)
	}
	if g.flag != nil {
		e.put(g.flag.parts()...)
	}
	if g.pool != nil {
		e.pool(g.pool)
	}
	e.put(uint8(len(g.levels)))
	for i := range g.levels {
		e.level(&g.levels[i])
	}
	if g.counts != nil {
		e.level(g.counts)
	}
}

func (e *encoder) pool(p *pool) {
	e.put(p.parts()...)
	for _, lives := range [...][]formerLife{p.past, p.older, p.sums} {
		e.put(uint8(len(lives)))
		for _, f := range lives {
			e.put(f.bound, f.life)
		}
	}
}

func (e *encoder) level(l *level) {
	e.put(l.parts()...)
	e.put(l.evidence != nil)
	if l.evidence != nil && e.err == nil {
		e.buffer, e.err = l.evidence.AppendBinary(e.buffer)
	}
}

// What is kept of each. A test fails when a field is added and not kept.

func (p *process) parts() []any {
	return []any{
		&p.last, &p.jumped, &p.step, &p.seen, &p.stacks, &p.profile, &p.profiled, &p.scrapes, &p.newest, &p.whole, &p.splits, &p.split, &p.lost, &p.start, &p.ended, &p.counted, &p.service, &p.jumpedBy, &p.behind,
		&p.lowest[0].bound, &p.lowest[0].start, &p.lowest[0].known, &p.lowest[1].bound, &p.lowest[1].start, &p.lowest[1].known,
	}
}

func (g *group) parts() []any {
	return []any{
		&g.process, &g.at, &g.censusAt, &g.start, &g.first, &g.started, &g.firstCount, &g.held, &g.count, &g.grown, &g.looked,
		&g.service, &g.seen, &g.kind, &g.had, &g.raw, &g.severity, &g.census, &g.peer, &g.ignored,
	}
}

func (l *level) parts() []any {
	return []any{&l.bound, &l.exits, &l.ownExits, &l.aged, &l.own, &l.since}
}

func (p *proof) parts() []any {
	return []any{&p.profile, &p.twice, &p.leaked, &p.first, &p.since, &p.start}
}

func (t *joint) parts() []any {
	return []any{&t.since, &t.carrier, &t.worst, &t.worstOf, &t.at, &t.shown}
}

func (p *pool) parts() []any {
	return []any{
		&p.pastAt, &p.judged, &p.begun, &p.rose, &p.arrivals, &p.covered,
		&p.until, &p.leaked, &p.perHour, &p.bound, &p.exits, &p.ignored, &p.alone,
		&p.spread.rose, &p.spread.sum, &p.spread.squares,
	}
}

func (f *flag) parts() []any {
	return []any{&f.id, &f.since, &f.exits, &f.bound, &f.empty, &f.ended, &f.last, &f.zeros}
}
