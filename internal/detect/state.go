package detect

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// The encoding of a Detector, to survive a restart. Numbers are little-endian and of the size of
// their Go type. Open observations are not included.
//
//	state          magic, version, signature version, min_duration, processes, groups, checksum
//	processes      number, then for each: ID, fields, number of flagged groups, their IDs
//	groups         number, then for each: ID, fields, proof, joint, flag and service group if present, levels
//	service group  fields, then for past, older and sums: number of levels, bound and life of each
//	levels         number, then for each: fields, whether there is evidence, evidence
//	checksum       CRC-32 (Castagnoli) of everything before it
const (
	stateMagic = "leak_detect"
	// stateVersion must be incremented with every change of the encoding or its meaning.
	stateVersion = uint16(9)
)

// Reasons why a state cannot be decoded.
var (
	ErrNoState      = errors.New("it is not a state of this processor")
	ErrStateDamaged = errors.New("it is damaged")
	ErrStateVersion = errors.New("it is of another version of this processor")
	// ErrStateSignatures means that the groups of the state have other signatures now.
	ErrStateSignatures = errors.New("its signatures are of another version")
	ErrStateRules      = errors.New(`"min_duration" has changed`)
)

func checksum(b []byte) uint32 {
	return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
}

// Clone returns a copy of the state that AppendBinary encodes. Copying is faster than encoding, which
// can then be done concurrently.
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
			h.levels[i].evidence = clonePointer(h.levels[i].evidence)
		}
		h.recent = nil // not encoded
		if h.counts = clonePointer(g.counts); h.counts != nil {
			h.counts.evidence = clonePointer(h.counts.evidence)
		}
		h.proof, h.joint, h.flag, h.asService = clonePointer(g.proof), clonePointer(g.joint), clonePointer(g.flag), clonePointer(g.asService)
		if h.asService != nil {
			h.asService.members, h.asService.past, h.asService.older, h.asService.sums = nil, slices.Clone(g.asService.past), slices.Clone(g.asService.older), slices.Clone(g.asService.sums)
		}
		c.groups[name] = &h
	}
	return c
}

func clonePointer[T any](p *T) *T {
	if p == nil {
		return nil
	}
	value := *p
	return &value
}

// AppendBinary implements encoding.BinaryAppender.
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

// encoder appends values until one fails.
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
	e.put(g.proof != nil, g.joint != nil, g.flag != nil, g.asService != nil, g.counts != nil)
	if g.proof != nil {
		e.put(g.proof.parts()...)
	}
	if g.joint != nil {
		e.put(g.joint.parts()...)
	}
	if g.flag != nil {
		e.put(g.flag.parts()...)
	}
	if g.asService != nil {
		e.serviceGroup(g.asService)
	}
	e.put(uint8(len(g.levels)))
	for i := range g.levels {
		e.level(&g.levels[i])
	}
	if g.counts != nil {
		e.level(g.counts)
	}
}

func (e *encoder) serviceGroup(p *serviceGroup) {
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

// The parts methods return pointers to the encoded fields. A test fails if a new field is missing.

func (p *process) parts() []any {
	return []any{
		&p.last, &p.rejected, &p.step, &p.seen, &p.stacks, &p.profile, &p.profiled, &p.scrapes, &p.newest, &p.wholeInRow, &p.everSplit, &p.newestSplit, &p.lost, &p.start, &p.ended, &p.counted, &p.service, &p.rejectedFrom, &p.behind,
		&p.lowest[0].bound, &p.lowest[0].start, &p.lowest[0].known, &p.lowest[1].bound, &p.lowest[1].start, &p.lowest[1].known,
	}
}

func (g *group) parts() []any {
	return []any{
		&g.process, &g.at, &g.censusAt, &g.start, &g.first, &g.started, &g.firstCount, &g.held, &g.count, &g.grown, &g.arrivedAtLook,
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

func (p *serviceGroup) parts() []any {
	return []any{
		&p.pastAt, &p.judged, &p.begun, &p.rose, &p.arrivals, &p.covered,
		&p.until, &p.leaked, &p.perHour, &p.bound, &p.exits, &p.ignored, &p.alone,
		&p.spread.rose, &p.spread.sum, &p.spread.squares,
	}
}

func (f *flag) parts() []any {
	return []any{&f.id, &f.since, &f.exits, &f.bound, &f.empty, &f.ended, &f.last, &f.zeros}
}
