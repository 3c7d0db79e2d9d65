package leakdetect

import (
	"bytes"
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// The state is what is remembered, as it is kept over a restart. All numbers are
// little-endian and of the size of their Go type.
//
//	state      magic, version, signature version, min_duration, resources, streams, checksum
//	resources  their number, then for each: id, fields, proofs, entries
//	proofs     their number, then for each: group, fields
//	entries    their number, then for each: id, time
//	streams    their number, then for each: id, fields, evidence
//	checksum   CRC-32 (Castagnoli) of all before it
const (
	stateMagic = "leak_detect"
	// stateVersion changes with every change of what is kept, and of what it
	// means.
	stateVersion = uint16(4)
)

// Why a state is of no use.
var (
	errNoState      = errors.New("it is not a state of this processor")
	errStateDamaged = errors.New("it is damaged")
	errStateVersion = errors.New("it is of another version of this processor")
	// errStateSignatures is a state of groups that no longer have these signatures.
	errStateSignatures = errors.New("its signatures are of another version")
	errStateRules      = errors.New(`"min_duration" was another one`)
)

func checksum(b []byte) uint32 {
	return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
}

// encodeState returns what is remembered. Judging waits only while it is copied.
func (w *watch) encodeState() ([]byte, error) {
	e, names, streams := w.copyState()
	e.put(uint32(len(streams)))
	for i := range streams {
		e.put(names[i])
		e.put(streams[i].parts()...)
		e.append(&streams[i].evidence)
	}
	e.put(checksum(e.buffer))
	return e.buffer, e.err
}

// copyState returns the beginning of the state, up to the streams, and a copy of these.
func (w *watch) copyState() (e encoder, names []id, streams []stream) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e = encoder{buffer: make([]byte, 0, len(w.streams)*streamSize()+len(w.resources)*64)}
	e.buffer = append(e.buffer, stateMagic...)
	e.put(stateVersion, uint16(telemetry.SignatureVersion), w.minDuration, uint32(len(w.resources)))
	for name, r := range w.resources {
		e.resource(name, r)
	}
	names, streams = make([]id, 0, len(w.streams)), make([]stream, 0, len(w.streams))
	for name, s := range w.streams {
		names, streams = append(names, name), append(streams, *s)
	}
	return e, names, streams
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

func (e *encoder) append(a encoding.BinaryAppender) {
	if e.err == nil {
		e.buffer, e.err = a.AppendBinary(e.buffer)
	}
}

func (e *encoder) resource(name id, r *resource) {
	e.put(name)
	e.put(r.parts()...)
	e.put(uint32(len(r.proofs)))
	for group, p := range r.proofs {
		e.put(group)
		e.put(p.parts()...)
	}
	e.put(uint32(len(r.entries)))
	for entry, flagged := range r.entries {
		e.put(entry, flagged)
	}
}

// restore has the watch remember what a state says. If that is of no use it changes
// nothing. Streams above max_streams are left out.
func (w *watch) restore(state []byte) error {
	body, err := w.checkState(state)
	if err != nil {
		return err
	}
	d := decoder{rest: body}
	fresh := watch{maxStreams: w.maxStreams, streams: make(map[id]*stream), resources: make(map[id]*resource)}
	for n := d.length(); n > 0 && d.err == nil; n-- {
		d.resource(&fresh)
	}
	for n := d.length(); n > 0 && d.err == nil; n-- {
		d.stream(&fresh)
	}
	if d.err != nil || len(d.rest) > 0 {
		return errStateDamaged
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.streams, w.resources = fresh.streams, fresh.resources
	return nil
}

// checkState returns what is left of a state when it has been recognized.
func (w *watch) checkState(state []byte) ([]byte, error) {
	header, ok := bytes.CutPrefix(state, []byte(stateMagic))
	if !ok {
		return nil, errNoState
	}
	d := decoder{rest: header}
	var version, signatures uint16
	if d.get(&version); d.err == nil && version != stateVersion {
		return nil, fmt.Errorf("%w: %d, not %d", errStateVersion, version, stateVersion)
	}
	if d.get(&signatures); d.err == nil && signatures != telemetry.SignatureVersion {
		return nil, fmt.Errorf("%w: %d, not %d", errStateSignatures, signatures, telemetry.SignatureVersion)
	}
	var minDuration int64
	d.get(&minDuration)
	end := len(d.rest) - crc32.Size
	if d.err != nil || end < 0 || !checks(state) {
		return nil, errStateDamaged
	}
	if minDuration != w.minDuration {
		// The segments of a floor would be of another length.
		return nil, errStateRules
	}
	return d.rest[:end], nil
}

// checks tells whether the checksum at the end of a state is right.
func checks(state []byte) bool {
	end := len(state) - crc32.Size
	return binary.LittleEndian.Uint32(state[end:]) == checksum(state[:end])
}

// decoder reads one thing after another, until something fails.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) get(values ...any) {
	for _, value := range values {
		if d.err != nil {
			return
		}
		var n int
		n, d.err = binary.Decode(d.rest, binary.LittleEndian, value)
		d.rest = d.rest[n:]
	}
}

// length returns how many of something follow. There are no more than bytes left.
func (d *decoder) length() int {
	var n uint32
	d.get(&n)
	if d.err == nil && int64(n) > int64(len(d.rest)) {
		d.err = errStateDamaged
	}
	if d.err != nil {
		return 0
	}
	return int(n)
}

func (d *decoder) resource(w *watch) {
	var name id
	r := &resource{}
	d.get(&name)
	d.get(r.parts()...)
	for n := d.length(); n > 0 && d.err == nil; n-- {
		var group id
		p := &proof{}
		d.get(&group)
		d.get(p.parts()...)
		r.prove(group, p)
	}
	for n := d.length(); n > 0 && d.err == nil; n-- {
		var entry id
		var flagged int64
		d.get(&entry, &flagged)
		r.explain(entry, flagged)
	}
	if d.err == nil && w.room(len(w.resources)) {
		w.resources[name] = r
	}
}

func (d *decoder) stream(w *watch) {
	var name id
	s := &stream{}
	d.get(&name)
	d.get(s.parts()...)
	if d.err == nil {
		d.err = s.evidence.UnmarshalBinary(d.rest)
	}
	if d.err != nil {
		return
	}
	d.rest = d.rest[growth.BinarySize():]
	if w.room(len(w.streams)) {
		w.streams[name] = s
	}
}

// What is kept of each. A test fails when a field is added and not kept.

func (s *stream) parts() []any {
	return []any{
		&s.at, &s.start, &s.exits, &s.count, &s.aged, &s.since, &s.flagged, &s.seen,
		&s.have, &s.judged, &s.census, &s.everCensus, &s.zeros, &s.severity, &s.deltas,
	}
}

func (r *resource) parts() []any {
	return []any{&r.last, &r.jumped, &r.step, &r.seen, &r.stacks, &r.profile, &r.profiled}
}

func (p *proof) parts() []any {
	return []any{&p.profile, &p.twice, &p.leaked, &p.first, &p.since, &p.start}
}

// streamSize is how many bytes are kept of a stream.
func streamSize() int {
	size := binary.Size(id(0)) + growth.BinarySize()
	for _, part := range new(stream).parts() {
		size += binary.Size(part)
	}
	return size
}
